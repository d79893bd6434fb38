import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from preprocessing.clip import Clip, clip_id, spelled


def test_an_id_is_corpus_path_and_start():
    assert clip_id("emodb", Path("wav", "03a01Fa.wav")) == "emodb/wav/03a01Fa.wav"
    assert clip_id("calls", "a.wav", 0.0) == "calls/a.wav"
    assert clip_id("calls", "a.wav", 1.5) == "calls/a.wav@1.500"


def test_what_is_in_no_valid_encoding_is_spelled_out():
    assert spelled("Colère") == "Colère"
    assert spelled(os.fsdecode(b"Col\xe8re")) == "Col\\udce8re"
    assert clip_id(os.fsdecode(b"\xe8"), os.fsdecode(b"\xe8.wav")) == "\\udce8/\\udce8.wav"


def test_a_clip_is_a_value():
    clip = Clip(id="a/b.wav", path=Path("b.wav"), corpus="a")
    assert clip == Clip(id="a/b.wav", path=Path("b.wav"), corpus="a", start_s=0.0, end_s=None, extra={})
    with pytest.raises(FrozenInstanceError):
        clip.emotion = "happy"
