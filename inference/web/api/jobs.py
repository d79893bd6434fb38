"""Timelines that are computed after their request was answered: status, progress, result."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Literal

from ...timeline.formats import TimelineDocument
from .admission import ApiLimits
from .errors import ApiError

Status = Literal["waiting", "running", "done", "failed"]
Compute = Callable[[Callable[[float], None]], TimelineDocument]  # takes what it reports its progress to


class CanceledError(Exception):
    """The job was deleted, and nobody needs its result."""


@dataclass
class Job:
    """A timeline that is, or was, computed.

    Args:
        owner: client who may see it.
        id: hard to guess.
        status: where it is.
        progress: share of the work that is done, from 0 to 1.
        document: the result, when it is done.
        error: why it failed.
        fetched: whether the result has been returned.
        ended: when it was done or failed, by the monotonic clock.
    """

    owner: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    status: Status = "waiting"
    progress: float = 0.0
    document: TimelineDocument | None = None
    error: ApiError | None = None
    fetched: bool = False
    ended: float = float("inf")
    canceled: Event = field(default_factory=Event)

    def run(self, compute: Compute, describe: Callable[[Exception], ApiError], release: Callable[[], None]) -> None:
        """Computes the result, or keeps its error."""
        try:
            self._report(0.0)
            self.document = compute(self._report)
            self.status, self.progress = "done", 1.0
        except Exception as error:  # any error is the result of the job
            self.status, self.error = "failed", describe(error)
        finally:
            release()
        self.ended = time.monotonic()

    def _report(self, share: float) -> None:
        if self.canceled.is_set():
            raise CanceledError("The job was deleted.")
        self.status, self.progress = "running", share


class Jobs:
    """The jobs of a service, in memory; results are deleted `keep_s` seconds after their job ended.

    Args:
        limits: how many there may be, and how long results are kept.
        threads: jobs that run at the same time.
    """

    def __init__(self, limits: ApiLimits, threads: int = 2):
        self._limits = limits
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="job")
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def start(
        self,
        owner: str,
        compute: Compute,
        describe: Callable[[Exception], ApiError],
        release: Callable[[], None] = lambda: None,
    ) -> Job:
        """Queues a job; raises an [`ApiError`] if there are too many.

        Args:
            owner: client who may see it.
            compute: returns the result.
            describe: an exception as the error of the job.
            release: called when the job does not need the recording any more.
        """
        with self._lock:
            self._remove_expired()
            if len(self._jobs) >= self._limits.jobs:
                message = "The service has too many jobs. Fetch and delete those that are done, or try again later."
                raise ApiError(503, message, 10)
            job = Job(owner)
            self._jobs[job.id] = job
        self._threads.submit(job.run, compute, describe, release)
        return job

    def find(self, job_id: str, owner: str) -> Job:
        """The job of a client; raises an [`ApiError`] if it does not exist, or not any more."""
        with self._lock:
            self._remove_expired()
            job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise ApiError(404, "This job does not exist, or its result has expired. Please send the recording again.")
        return job

    def delete(self, job: Job) -> None:
        """Ends a job and deletes its result."""
        job.canceled.set()
        with self._lock:
            self._jobs.pop(job.id, None)

    def count(self, *statuses: Status) -> int:
        """How many jobs have one of these statuses."""
        return sum(job.status in statuses for job in list(self._jobs.values()))

    @property
    def unfinished(self) -> int:
        """Jobs that run, or whose result nobody has fetched."""
        return sum(job.status in ("waiting", "running") or not job.fetched for job in list(self._jobs.values()))

    def close(self) -> None:
        """Ends all jobs."""
        for job in list(self._jobs.values()):
            job.canceled.set()
        self._threads.shutdown(cancel_futures=True)

    def _remove_expired(self) -> None:
        oldest = time.monotonic() - self._limits.keep_s
        for job in [job for job in self._jobs.values() if job.ended < oldest]:
            del self._jobs[job.id]
