import pytest

from inference.web.api.admission import ApiLimits
from inference.web.limits import SharedLimits
from inference.web.service import Limits


@pytest.mark.parametrize("limits", [SharedLimits, ApiLimits, Limits])
def test_a_body_has_its_patience_and_more_for_what_has_come(monkeypatch, limits):
    monkeypatch.setattr("time.monotonic", lambda: 105.0)
    given = limits(patience_s=30.0, slowest_kb_s=10.0)
    assert given.seconds_left(100.0, 0) == 25.0
    assert given.seconds_left(100.0, 20_000) == 27.0
    assert given.seconds_left(50.0, 0) == -25.0
