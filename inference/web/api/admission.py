"""Which requests are taken: keys, rates, how many at once, how many bytes; and when the service is to end, none."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from ..limits import MEGABYTE, SharedLimits
from .errors import ApiError

_MOST_CLIENTS = 10_000  # whose rates are kept


@dataclass(frozen=True)
class ApiLimits(SharedLimits):
    """What clients may ask for, in addition to the limits that the page shares.

    Args:
        keys: API keys; without any, everybody is served.
        job_above_s: length in seconds from which a timeline is computed as a job, unless the request chooses.
        requests: that are answered at the same time; further ones are refused.
        jobs: that wait, run, or hold a result.
        per_minute: requests of a client, who is known by key or address; also refused keys of an address.
        grace_s: seconds that running work may take after the service was asked to end.
    """

    keys: tuple[str, ...] = ()
    job_above_s: float = 60.0
    requests: int = 256
    jobs: int = 32
    per_minute: float = 6000.0
    grace_s: float = 30.0


class Admission:
    """Counts what the service is doing, and refuses what would exceed its limits.

    Args:
        limits: of the service.

    Attributes:
        draining (`bool`): whether the service is to end, and takes nothing new.
        requests (`int`): that are being answered.
        streams (`int`): that are open.
    """

    def __init__(self, limits: ApiLimits):
        self.limits = limits
        self.draining = False
        self.requests = 0
        self.streams = 0
        self._held_bytes = 0
        self._lock = Lock()  # requests are identified, and jobs release, in threads of their own
        self._allowances: dict[str, tuple[float, float]] = {}  # client -> requests left, and when that was

    def identify(self, headers: Mapping[str, str], address: str, key: str = "") -> str:
        """The client of a request, by key or address.

        Args:
            headers: with the key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
            address: of the client.
            key: given in another way.

        Raises:
            ApiError: the key is missing or is not one of the service's, or too many were refused to the address.
        """
        if not self.limits.keys:
            return address
        self.check_rate(address, cost=0)  # before the key is compared: otherwise guessing could go on
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = key or headers.get("x-api-key", "") or (token if scheme.lower() == "bearer" else "")
        for number, known in enumerate(self.limits.keys):
            if hmac.compare_digest(known.encode(), given.encode()):
                return f"key {number}"
        self.check_rate(address)
        raise ApiError(401, "A valid API key is required. Send it as the header `Authorization: Bearer KEY`.")

    def check_rate(self, client: str, cost: int = 1) -> None:
        """Counts a request of a client; raises an [`ApiError`] if there were too many within a minute.

        Args:
            client: by key or address.
            cost: 0 does not count it, but raises the same error.
        """
        per_s, now = self.limits.per_minute / 60, time.monotonic()
        most = max(1.0, self.limits.per_minute)  # even if a minute has less than a request
        with self._lock:
            known = self._allowances.pop(client, None)
            left, since = known or (most, now)
            left = min(most, left + (now - since) * per_s)
            if cost and len(self._allowances) >= _MOST_CLIENTS:
                self._allowances.pop(next(iter(self._allowances)))  # the one that was silent for the longest time
            if cost or known:
                self._allowances[client] = (left - cost if left >= 1 else left, now)
        if left < 1:
            message = f"Up to {self.limits.per_minute:g} requests a minute are answered. Please wait."
            raise ApiError(429, message, (1 - left) / per_s)

    def check_open(self) -> None:
        """Raises an [`ApiError`] if the service is to end."""
        if self.draining:
            raise ApiError(503, "The service is about to end. Please try again.", 5)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts a request while it is answered; raises an [`ApiError`] if there are too many."""
        self.check_open()
        if self.requests >= self.limits.requests:
            raise ApiError(503, f"{self.requests} requests are being answered. Please try again.", 1)
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Counts a stream while it is open; raises an [`ApiError`] if there are too many."""
        self.check_open()
        if self.streams >= self.limits.streams:
            raise ApiError(503, f"{self.streams} streams are open. Please try again.", 5)
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def hold(self, size: int) -> None:
        """Counts bytes of a body that are held until they are released; raises an [`ApiError`] if they are too many."""
        with self._lock:
            if self._held_bytes + size > self.limits.total_megabytes * MEGABYTE:
                raise ApiError(503, "The service holds too many recordings at the moment. Please try again.", 2)
            self._held_bytes += size

    def release(self, size: int) -> None:
        """Ends what `hold` counted."""
        with self._lock:
            self._held_bytes -= size
