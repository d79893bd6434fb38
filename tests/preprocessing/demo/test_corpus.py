import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import soundfile

from preprocessing.clip import Clip
from preprocessing.corpora.scan import Source, scan
from preprocessing.demo.corpus import PROSODY, VOICES, WITHOUT_GENDER
from preprocessing.labels import EMOTIONS, LOCALES
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

pytest.importorskip("espeakng_loader")

# A few voices and locales, in a process of its own: eSpeak's state is global.
SMALL = """
import sys
from pathlib import Path
from preprocessing.demo import corpus as demo_corpus
demo_corpus.SENTENCES = {locale: demo_corpus.SENTENCES[locale] for locale in ("de-DE", "ur-UR")}
demo_corpus.VOICES = {"train": {"male": ("m1", "victor")}, "test": {"female": ("f2",)}}
demo_corpus.write_demo_corpus(Path(sys.argv[1]), seed=int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, "-m", "preprocessing.demo", "--output", folder], cwd=ROOT, check=True)
    return folder / "clips.csv"


@pytest.fixture(scope="module")
def rows(table):
    return pd.read_csv(table, keep_default_na=False)


def test_there_are_13_locales_seven_emotions_and_both_genders(rows):
    assert set(PROSODY) == set(EMOTIONS)
    assert set(rows.locale) == set(LOCALES)
    assert set(rows.emotion) == set(EMOTIONS)
    assert set(rows.gender) == {"female", "male", ""}
    assert set(rows.split) == {"train", "validation", "test"}
    assert Counter(rows.locale).keys() == Counter(rows[rows.split == "test"].locale).keys()


def test_speakers_of_the_splits_are_disjoint(rows):
    assert len(set(rows.speaker)) == 28
    assert (rows.groupby("speaker").split.nunique() == 1).all()
    assert rows.groupby("split").speaker.nunique().to_dict() == {"train": 22, "validation": 2, "test": 4}


def test_one_of_the_two_corpora_gives_no_gender_and_no_disgust(rows):
    assert set(rows.corpus) == {"demo-a", "demo-b"}
    whole, lacking = rows[rows.corpus == "demo-a"], rows[rows.corpus == "demo-b"]
    assert (set(lacking.gender), set(lacking.emotion)) == ({""}, set(EMOTIONS) - {"disgust"})
    assert (set(whole.gender), set(whole.emotion)) == ({"female", "male"}, set(EMOTIONS))
    assert set(lacking.locale) == set(WITHOUT_GENDER)
    assert set(whole.locale) == set(LOCALES) - set(WITHOUT_GENDER)


def test_every_voice_speaks_every_emotion_in_every_locale(rows):
    assert len(rows) == 28 * (7 * 7 + 6 * 6)
    assert not rows.duplicated(["speaker", "locale", "emotion"]).any()
    gender = {voice: gender for genders in VOICES.values() for gender, voices in genders.items() for voice in voices}
    known = rows[rows.gender != ""]
    assert (known.gender == known.speaker.map(gender)).all()


def test_the_table_is_read_with_nothing_skipped(table, rows):
    entries = scan([Source("table", table)])
    assert {type(entry) for entry in entries} == {Clip}
    assert [entry.emotion for entry in entries] == rows.emotion.tolist()
    assert Counter(entry.split for entry in entries) == Counter(rows.split)
    assert len({entry.id for entry in entries}) == len(rows)


def test_a_clip_sounds_and_is_as_long_as_a_sentence(table, rows):
    for path in rows.path[::3]:
        waveform, rate = soundfile.read(table.parent / path, dtype="float32")
        assert 0.5 < waveform.size / rate < 6, path
        assert waveform.std() > 0.01, path
        assert np.abs(waveform).max() < 1, path


def test_the_pace_of_an_emotion_differs(table, rows):
    seconds = rows.path.map(lambda path: soundfile.info(table.parent / path).duration)
    means = seconds.groupby(rows.emotion).mean()
    assert means["sad"] > 1.15 * means["angry"]
    assert means["disgust"] > 1.15 * means["fear"]


def test_the_same_seed_gives_the_same_corpus_to_the_byte(tmp_path):
    contents = []
    for run in ("first", "second"):
        subprocess.run([sys.executable, "-c", SMALL, tmp_path / run, "5"], cwd=ROOT, check=True)
        files = sorted(path for path in (tmp_path / run).rglob("*") if path.is_file())
        contents.append({path.relative_to(tmp_path / run).as_posix(): path.read_bytes() for path in files})
    first, second = contents
    assert len(first) == 3 * (7 + 6) + 1
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_files_of_others_are_left_alone(table, tmp_path):
    (tmp_path / "clips.csv").write_text("path,emotion\nmine.wav,sad\n")
    for folder, code in ((tmp_path, 1), (table.parent, 0)):
        done = subprocess.run([sys.executable, "-c", SMALL, folder, "0"], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == code
    assert (tmp_path / "clips.csv").read_text() == "path,emotion\nmine.wav,sad\n"
