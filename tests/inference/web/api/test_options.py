import typing

import pytest

from inference.timeline.formats import EXPORTS
from inference.web.api.errors import ApiError
from inference.web.api.options import MEDIA_TYPES, Format, PredictionParameters, TimelineParameters, negotiate


def test_there_is_a_media_type_for_every_format():
    assert set(MEDIA_TYPES) == set(EXPORTS) == set(typing.get_args(Format))


@pytest.mark.parametrize(
    ("accept", "chosen", "format"),
    [
        ("", None, "json"),
        ("*/*", None, "json"),
        ("text/vtt", None, "vtt"),
        ("text/vtt", "srt", "srt"),
        ("image/png, TEXT/VTT;q=0.5", None, "vtt"),
        ("text/*", None, "csv"),
        ("application/*;q=0.1", None, "json"),
    ],
)
def test_a_choice_wins_over_accept(accept, chosen, format):
    assert negotiate(accept, chosen) == format


def test_what_is_in_the_body_wins_over_the_address():
    merged = PredictionParameters(top_k=1, no_vad=True).with_fields({"top_k": "2"})
    assert (merged.top_k, merged.no_vad) == (2, True)
    with pytest.raises(ApiError) as error:
        TimelineParameters().with_fields({"window_s": "long"})
    assert error.value.status == 422
