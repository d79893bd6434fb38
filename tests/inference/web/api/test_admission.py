import pytest

from inference.web.api.admission import Admission, ApiLimits
from inference.web.api.errors import ApiError
from tests.inference.web.api.conftest import refused

KEYS = ("one", "zwei-ä")


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer three"}, {"authorization": "one"}, {"x-api-key": ""}]
)
def test_a_missing_or_unknown_key_is_refused(headers):
    with pytest.raises(ApiError) as error:
        Admission(ApiLimits(keys=KEYS)).identify(headers, "address")
    assert error.value.status == 401
    assert error.value.response().headers["www-authenticate"] == "Bearer"


def test_a_key_identifies_its_client_and_without_keys_the_address_does():
    admission = Admission(ApiLimits(keys=KEYS))
    assert admission.identify({"authorization": "bearer one"}, "a") == admission.identify({"x-api-key": "one"}, "b")
    assert admission.identify({"x-api-key": KEYS[1]}, "a") != admission.identify({}, "a", "one")
    assert Admission(ApiLimits()).identify({}, "a") == "a"


def test_the_rate_is_that_of_each_client_and_recovers(monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    admission = Admission(ApiLimits(per_minute=3))
    for _ in range(3):
        admission.check_rate("a")
    with pytest.raises(ApiError) as error:
        admission.check_rate("a")
    assert (error.value.status, error.value.retry_after_s) == (429, 20)
    admission.check_rate("b")
    now += 20
    admission.check_rate("a")
    with pytest.raises(ApiError):
        admission.check_rate("a")


def test_refused_keys_of_an_address_are_limited_and_the_right_one_is_not_found_by_guessing(monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    admission = Admission(ApiLimits(keys=KEYS, per_minute=3))
    for guess in ("a", "b", "c"):
        with pytest.raises(ApiError) as error:
            admission.identify({"x-api-key": guess}, "address")
        assert error.value.status == 401
    for guess in ("d", "one"):
        with pytest.raises(ApiError) as error:
            admission.identify({"x-api-key": guess}, "address")
        assert (error.value.status, error.value.retry_after_s) == (429, 20)
    assert admission.identify({"x-api-key": "one"}, "elsewhere") == "key 0"
    now += 20
    assert admission.identify({"x-api-key": "one"}, "address") == "key 0"


def test_less_than_a_request_in_a_minute_is_one_now_and_then(monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    admission = Admission(ApiLimits(per_minute=0.5))
    admission.check_rate("a")
    with pytest.raises(ApiError) as error:
        admission.check_rate("a")
    assert error.value.retry_after_s == 120
    now += 120
    admission.check_rate("a")


def test_the_rate_of_a_client_that_goes_on_is_kept_when_others_come(monkeypatch):
    monkeypatch.setattr("inference.web.api.admission._MOST_CLIENTS", 3)
    admission = Admission(ApiLimits(per_minute=1))
    admission.check_rate("a")
    for number in range(5):
        with pytest.raises(ApiError):
            admission.check_rate("a")
        admission.check_rate(f"other {number}")


def test_no_more_requests_and_streams_than_the_limits():
    admission = Admission(ApiLimits(requests=1, streams=1))
    for count in (admission.request, admission.stream):
        with count():
            with pytest.raises(ApiError) as error, count():
                pass
            assert error.value.status == 503
        with count():
            pass
    assert (admission.requests, admission.streams) == (0, 0)


def test_refusals_have_their_headers(serve):
    client = serve(keys=("one",), per_minute=1)
    headers = {"X-API-Key": "one"}
    assert client.get("/v1/models", headers=headers).status_code == 200
    response = client.get("/v1/models", headers=headers)
    body = refused(response, 429, "too_many_requests")
    assert int(response.headers["retry-after"]) == body["retry_after_s"] > 0
    refused(client.get("/v1/models"), 401, "unauthorized")


def test_a_service_that_ends_refuses_new_work(client, speech):
    client.service.admission.draining = True
    response = client.post("/v1/predictions", content=speech, headers={"Content-Type": "audio/wav"})
    assert refused(response, 503, "unavailable")["retry_after_s"] > 0
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200
