import pytest

from preprocessing.clip import Clip, SkippedClip
from preprocessing.corpora.scales import parse_scale, rescale
from preprocessing.corpora.scan import Source


@pytest.fixture
def corpora(tmp_path):
    """IEMOCAP, and two of one's own with the columns that are given."""

    def make(**columns):
        found = []
        for name, extras in columns.items():
            (tmp_path / name).mkdir(exist_ok=True)
            source = Source(name if name == "iemocap" else "folder", tmp_path / name)
            clips = [Clip(id=f"{name}/{i}", path=tmp_path, corpus=name, extra=extra) for i, extra in enumerate(extras)]
            found.append((source, [*clips, SkippedClip(f"{name}/x", "broken")]))
        return found

    return make


def extras(found):
    return {source.corpus: [entry.extra for entry in entries[:-1]] for source, entries in found}


def test_every_scale_becomes_minus_1_to_1(corpora):
    found = corpora(
        iemocap=[{"valence": 1.0}, {"valence": 3.0}, {"valence": 5.0}],
        calls=[{"valence": "7", "note": "x"}, {"valence": "NA", "note": "1"}, {"valence": None, "note": None}],
        film=[{"valence": "0.25"}],
    )
    rescaled, scales = rescale(found, ["valence=1:7", "film=valence=0:1"])
    assert extras(rescaled) == {
        "iemocap": [{"valence": -1.0}, {"valence": 0.0}, {"valence": 1.0}],
        "calls": [{"valence": 1.0, "note": "x"}, {"valence": None, "note": "1"}, {"valence": None, "note": None}],
        "film": [{"valence": -0.5}],
    }
    assert scales == {
        "iemocap": {"valence": (1.0, 5.0)},
        "calls": {"valence": (1.0, 7.0)},
        "film": {"valence": (0.0, 1.0)},
    }


def test_the_range_of_a_source_counts_unless_a_flag_gives_another(corpora):
    ((source, entries),) = corpora(calls=[{"valence": "4", "arousal": "3"}])
    found = [(Source("folder", source.path, scale="valence=1:7 arousal=1:5"), entries)]
    assert extras(rescale(found)[0]) == {"calls": [{"valence": 0.0, "arousal": 0.0}]}
    assert extras(rescale(found, ["valence=0:4"])[0]) == {"calls": [{"valence": 1.0, "arousal": 0.0}]}


def test_a_single_corpus_without_a_range_and_text_and_votes_are_left_as_they_are(corpora):
    own = {"rating": "9", "note": "x", "emotion:sad": 2.0}
    other = {"note": "y", "emotion:sad": 5.0}
    found = corpora(calls=[own], film=[other])
    assert rescale(found) == (found, {})


@pytest.mark.parametrize("scales", [[], ["calls=valence=1:7"], ["calls=valence=none", "film=valence=1:7"]])
def test_corpora_that_share_a_column_need_the_range_of_each(corpora, scales):
    with pytest.raises(ValueError, match=r"calls, film.*'valence'.*--scale"):
        rescale(corpora(calls=[{"valence": "4"}], film=[{"valence": "0.5"}]), scales)


def test_a_quantity_with_a_unit_is_shared_as_it_is(corpora):
    found = corpora(calls=[{"age": "40"}], film=[{"age": "8"}])
    assert rescale(found, ["age=none"])[0] == found


def test_a_number_out_of_its_range_is_refused_by_its_clip(corpora):
    with pytest.raises(ValueError, match=r"calls/1: valence is 7\.5"):
        rescale(corpora(calls=[{"valence": "7"}, {"valence": "7.5"}]), ["valence=1:7"])


@pytest.mark.parametrize("text", ["dominance=1:7", "film=valence=1:7", "iemocap=valence=1:7"])
def test_the_range_of_a_column_or_corpus_that_does_not_occur_is_refused(corpora, text):
    with pytest.raises(ValueError, match="--scale"):
        rescale(corpora(iemocap=[{"valence": 1.0}], calls=[{"valence": "1"}]), ["valence=1:7", text])


@pytest.mark.parametrize("text", ["valence", "valence=1", "valence=7:1", "valence=1:inf", "=1:7", "valence=a:b"])
def test_what_is_not_a_range_is_refused(text):
    with pytest.raises(ValueError, match=text):
        parse_scale(text)
