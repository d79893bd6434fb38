import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from common.text_files import clean_text, escape_surrogates
from preprocessing.clip import Clip, clip_id


def test_an_id_is_corpus_path_and_start():
    assert clip_id("emodb", Path("wav", "03a01Fa.wav")) == "emodb/wav/03a01Fa.wav"
    assert clip_id("calls", "a.wav", 0.0) == "calls/a.wav"
    assert clip_id("calls", "a.wav", 1.5) == "calls/a.wav@1.500"


def test_bytes_in_an_invalid_encoding_are_escaped():
    assert escape_surrogates("Colère") == "Colère"
    assert escape_surrogates(os.fsdecode(b"Col\xe8re")) == "Col\\udce8re"
    assert clip_id(os.fsdecode(b"\xe8"), os.fsdecode(b"\xe8.wav")) == "\\udce8/\\udce8.wav"


def test_a_clip_is_a_value():
    clip = Clip(id="a/b.wav", path=Path("b.wav"), corpus="a")
    assert clip == Clip(id="a/b.wav", path=Path("b.wav"), corpus="a", start_s=0.0, end_s=None, extra={})
    with pytest.raises(FrozenInstanceError):
        clip.emotion = "happy"


@pytest.mark.parametrize(
    "text",
    [
        "Żaneta Ó",
        "Z\u0307aneta O\u0301",
        " Żaneta\u00a0Ó\t",
        "\ufeffŻaneta\u202fÓ\u200b",
        "\u200dŻan\u00adeta Ó\u200c\r\n",
    ],
)
def test_spellings_that_look_alike_are_one_text(text):
    assert clean_text(text) == "Żaneta Ó"
    clip = Clip(id="a/x", path=Path("x"), corpus="a", speaker=text, sentence=text, raw_label=text)
    assert (clip.speaker, clip.sentence, clip.raw_label) == ("Żaneta Ó",) * 3


def test_what_is_a_letters_own_stays():
    assert clean_text("می\u200cخواهم") == "می\u200cخواهم"  # the joiner is Persian spelling
    assert clean_text("P1") != clean_text("p1")
    assert clean_text("007") == "007"


def test_the_id_of_a_clip_does_not_depend_on_how_a_disk_spells_its_accents():
    assert clip_id("e\u0301", "e\u0301/a.wav") == clip_id("é", "é/a.wav") == "é/é/a.wav"
    assert Clip(id="e\u0301/x", path=Path("e\u0301"), corpus="e\u0301").corpus == "é"
    assert Clip(id="a/x", path=Path("e\u0301"), corpus="a").path == Path("e\u0301")
