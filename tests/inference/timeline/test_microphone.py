import sys
import types

import numpy as np
import pytest

from inference.timeline import microphone
from inference.timeline.microphone import record_blocks


class PortAudioError(Exception):
    pass


def fake(monkeypatch, blocks, error=None):
    """sounddevice with a microphone that gives these blocks at once."""

    class InputStream:
        def __init__(self, rate, size, *, channels, dtype, callback):
            assert (rate, channels, dtype) == (16_000, 1, "float32")
            self.callback = callback

        def __enter__(self):
            if error:
                raise error
            for block in blocks:
                self.callback(block[:, None], block.size, None, None)

        def __exit__(self, *_):
            pass

    module = types.SimpleNamespace(InputStream=InputStream, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def test_blocks_come_in_their_order(monkeypatch):
    fake(monkeypatch, [np.full(1600, value, np.float32) for value in (1, 2)])
    recorded = record_blocks()
    assert [next(recorded)[0] for _ in range(2)] == [1, 2]


def test_a_model_that_is_too_slow_ends_it(monkeypatch):
    monkeypatch.setattr(microphone, "_BLOCKS", 3)
    fake(monkeypatch, [np.zeros(1600, np.float32)] * 5)
    with pytest.raises(ValueError, match="--hop_s"):
        list(record_blocks())


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ValueError, match="sounddevice"):
        next(record_blocks())
    fake(monkeypatch, [], PortAudioError("no device"))
    with pytest.raises(ValueError, match="no device"):
        next(record_blocks())
