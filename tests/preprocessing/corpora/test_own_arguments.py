import re
import unicodedata

import pytest

from preprocessing.corpora.own_arguments import describe_sources, stated_license
from preprocessing.corpora.scan import Source


@pytest.fixture
def sources(tmp_path):
    for name in ("calls", "film", "wav"):
        (tmp_path / name).mkdir()
    (tmp_path / "film" / "clips.csv").touch()
    return [
        Source("folder", tmp_path / "calls"),
        Source("table", tmp_path / "film" / "clips.csv"),
        Source("emodb", tmp_path / "wav"),
    ]


def test_one_own_corpus_takes_a_value_without_its_name(sources):
    calls, _, emodb = sources
    described = describe_sources([calls, emodb], {"locale": ["de-DE"], "license": ["CC BY 4.0"], "style": []})
    assert [(s.locale, s.license, s.style) for s in described] == [("de-DE", "CC BY 4.0", None), (None, None, None)]


def test_of_several_each_has_its_own(sources):
    described = describe_sources(sources, {"locale": ["film=pl-PL", "calls=de-DE"], "style": ["film=acted"]})
    assert [(s.locale, s.style) for s in described] == [("de-DE", None), ("pl-PL", "acted"), (None, None)]


def test_a_flag_takes_precedence_over_the_source(sources, tmp_path):
    source = Source("folder", tmp_path / "calls", locale="de-DE", style="natural")
    (described,) = describe_sources([source], {"locale": ["en-US"], "style": []})
    assert (described.locale, described.style) == ("en-US", "natural")


def test_a_folder_of_shards_is_the_corpus_and_accents_may_be_decomposed(tmp_path):
    folders = [tmp_path / unicodedata.normalize("NFD", "données"), tmp_path / "film"]
    for folder in folders:
        folder.mkdir()
    tables = [Source("table", folder) for folder in folders]
    for form in ("NFC", "NFD"):
        described = describe_sources(tables, {"license": [unicodedata.normalize(form, "données=MIT"), "film=CC0"]})
        assert [(s.corpus, s.license) for s in described] == [("données", "MIT"), ("film", "CC0")]


@pytest.mark.parametrize("field", ["locale", "style", "license"])
def test_a_value_that_could_be_of_two_corpora_is_refused(sources, field):
    with pytest.raises(ValueError, match=rf"--{field}.*calls=acted film=acted"):
        describe_sources(sources, {field: ["acted"]})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (["calls=de-DE", "fim=pl-PL"], "fim"),
        (["emodb=de-DE"], "emodb"),
        (["calls=de-DE", "calls=pl-PL"], "calls"),
    ],
)
def test_a_corpus_that_is_not_there_or_has_two_values_is_refused(sources, values, named):
    with pytest.raises(ValueError, match=named):
        describe_sources(sources, {"locale": values})


def test_a_value_without_an_own_corpus_is_refused(sources):
    with pytest.raises(ValueError, match="--locale de-DE"):
        describe_sources(sources[2:], {"locale": ["de-DE"]})


@pytest.mark.parametrize(("field", "value"), [("style", "loud"), ("license", "commercial")])
def test_another_style_and_a_use_for_a_license_are_refused(sources, field, value):
    with pytest.raises(ValueError, match=rf"--{field}.*{value}"):
        describe_sources(sources[:1], {field: [value]})


@pytest.mark.parametrize(
    ("name", "commercial", "redistributable"),
    [
        ("CC BY 4.0", True, True),
        ("cc0-1.0", True, True),
        ("CC BY-NC-SA 4.0", False, True),
        ("CC BY-NC-ND 4.0", False, False),
        ("CC BY-ND 4.0", True, False),
        ("CC BY-NC", False, True),
        ("of our own", None, None),
    ],
)
def test_what_a_stated_license_allows(name, commercial, redistributable):
    stated = stated_license(name)
    assert (stated["license"], stated["homepage"]) == (name, None)
    assert (stated["commercial"], stated["redistributable"]) == (commercial, redistributable)


def test_names_are_those_of_the_clips(sources):
    assert [re.fullmatch("calls|film|emodb", source.corpus) is not None for source in sources] == [True] * 3
