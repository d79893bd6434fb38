import pytest
from pydantic import BaseModel, ValidationError

from inference.web.api.errors import CODES, ApiError, describe_invalid


@pytest.mark.parametrize("status", CODES)
def test_every_status_has_a_code_and_a_sentence(status):
    assert ApiError(status, "Do this.").body() == {"code": CODES[status], "error": "Do this."}


@pytest.mark.parametrize(("seconds", "header"), [(0.01, "1"), (2, "2"), (2.1, "3")])
def test_a_time_to_wait_is_whole_seconds(seconds, header):
    response = ApiError(503, "Wait.", seconds).response()
    assert response.headers["retry-after"] == header


def test_invalid_values_are_named():
    class Model(BaseModel):
        top_k: int

    with pytest.raises(ValidationError) as error:
        Model(top_k="many")
    assert "top_k" in describe_invalid(error.value)
