import asyncio

import pytest

from inference.web.api.admission import ApiLimits
from inference.web.api.bodies import Upload
from inference.web.api.engine import Engine, describe_failure
from inference.web.api.errors import ApiError
from inference.web.api.metrics import Metrics
from modeling import AudioError, OutputOptions


def test_what_cannot_be_read_is_an_error_with_the_name_of_the_file(predictor):
    engine, upload = Engine(predictor, ApiLimits(), Metrics()), Upload("notes.txt", b"no sound", {})
    for coroutine in (engine.predict(upload, OutputOptions(), True), engine.measure(upload)):
        with pytest.raises(ApiError) as error:
            asyncio.run(coroutine)
        assert error.value.status == 415
        assert error.value.message.startswith("notes.txt")
        assert "bytes" not in error.value.message
    engine.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [(AudioError("8 bytes: it is broken."), 415), (RuntimeError("secret"), 500), (ApiError(413, "Too long."), 413)],
)
def test_errors_have_a_status_and_those_of_the_service_no_details(error, status):
    described = describe_failure(error, Upload("a", bytes(8), {}))
    assert described.status == status
    assert "secret" not in described.message
