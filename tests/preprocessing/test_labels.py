from pathlib import Path

import pytest

from preprocessing.corpora import CORPORA
from preprocessing.labels import (
    EMOTIONS,
    GENDERS,
    LABEL_RULES,
    LOCALES,
    ORDER,
    load_label_rules,
    load_speaker_genders,
    merged_labels,
    parse_gender,
    raw_labels,
)


def test_the_orders_are_the_designs():
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert GENDERS == ("female", "male")
    assert " ".join(LOCALES) == "bn-BN de-DE el-EL en-US es-MX fa-FA fr-FR it-IT pl-PL pt-BR pt-PT ur-UR zh-Hans"
    assert ORDER == {"emotion": EMOTIONS, "gender": GENDERS, "locale": LOCALES}


def test_every_corpus_is_in_a_locale_of_the_paper():
    assert {corpus.locale for corpus in CORPORA.values()} <= set(LOCALES)


@pytest.mark.parametrize("name", ["paper", "strict"])
def test_the_rules_map_each_emotion_to_itself(name):
    rules = load_label_rules(name)
    assert {emotion: rules[emotion] for emotion in EMOTIONS} == {emotion: emotion for emotion in EMOTIONS}
    assert set(rules.values()) == set(EMOTIONS)
    assert all(label == label.strip().lower() for label in rules)


def test_the_paper_merges_what_strict_leaves_out():
    paper, strict = load_label_rules("paper"), load_label_rules("strict")
    merged = {"amused": "happy", "boredom": "sad", "calm": "neutral", "excited": "happy", "frustration": "angry"}
    assert dict(paper.items() - strict.items()) == merged
    assert strict.items() <= paper.items()


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        ("anger", "angry"),
        ("disgusted", "disgust"),
        ("fearful", "fear"),
        ("joy", "happy"),
        ("happiness", "happy"),
        ("sadness", "sad"),
        ("surprised", "surprise"),
    ],
)
def test_labels_that_mean_one_of_the_seven(label, emotion):
    assert {rules[label] for rules in LABEL_RULES.values()} == {emotion}


def test_a_file_of_rules_replaces_the_built_in_rules_and_is_normalized(tmp_path):
    (tmp_path / "rules.yaml").write_text("' Joy': happy\nWUT: angry\nfrustrated: none\nużalenie: sad\n", "utf-8")
    rules = load_label_rules(str(tmp_path / "rules.yaml"))
    assert rules == {"joy": "happy", "wut": "angry", "frustrated": "none", "użalenie": "sad"}


@pytest.mark.parametrize(
    "content",
    ["- joy\n- anger\n", "joy: 3\n", "3: happy\n", "yes: happy\n", "joy: null\n", "joy: [happy]\n", "", "joy\n"],
)
def test_a_file_that_does_not_map_text_to_text_is_refused(tmp_path, content):
    (tmp_path / "rules.yaml").write_text(content)
    with pytest.raises(ValueError, match=r"rules\.yaml"):
        load_label_rules(str(tmp_path / "rules.yaml"))


def test_a_file_that_is_not_yaml_is_refused(tmp_path):
    (tmp_path / "rules.yaml").write_text("joy: happy: angry\n")
    with pytest.raises(ValueError, match=r"rules\.yaml"):
        load_label_rules(str(tmp_path / "rules.yaml"))


@pytest.mark.parametrize("name", ["loose", "rules.yaml", ""])
def test_rules_that_do_not_exist_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"--label_rules .*'{name}'"):
        load_label_rules(name)


@pytest.mark.parametrize(
    ("label", "gender"),
    [
        ("f", "female"),
        ("F", "female"),
        (" Female ", "female"),
        ("woman", "female"),
        ("M", "male"),
        ("MALE", "male"),
        ("man", "male"),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_common_labels_of_genders(label, gender):
    assert parse_gender(label, {}) == gender


@pytest.mark.parametrize(("name", "gender"), [("female", "female"), ("male", "male"), ("none", None)])
def test_a_users_map_comes_before_the_common_labels(name, gender):
    assert parse_gender("m", {"m": name}) == gender
    assert parse_gender(" Kobieta", {"kobieta": name}) == gender


def test_a_users_map_ignores_case():
    assert parse_gender("K", {"K": "female"}) == "female"  # as the message of an unknown gender proposes


def test_an_unknown_gender_is_refused_with_the_flag_that_maps_it():
    with pytest.raises(ValueError, match=r"'K'.* --gender_map K=female"):
        parse_gender("K", {"m": "male"})


def test_a_map_to_an_invalid_gender_is_refused():
    with pytest.raises(ValueError, match="--gender_map k=woman"):
        parse_gender("k", {"k": "woman"})


def test_genders_of_speakers_come_from_a_file(tmp_path):
    (tmp_path / "genders.yaml").write_text("castro: {A: female, B: female}\nmine: {1: male}\n")
    genders = load_speaker_genders(tmp_path / "genders.yaml")
    assert genders == {"castro": {"A": "female", "B": "female"}, "mine": {"1": "male"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("castro: female", "YAML mapping"),
        ("- castro", "YAML mapping"),
        ("castro: {A: woman}", "female or male.* woman"),
        ("castro: {A: ", "--speaker_genders"),
        (None, "--speaker_genders"),
    ],
)
def test_a_file_of_genders_that_is_wrong_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "genders.yaml").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_speaker_genders(tmp_path / "genders.yaml")


def test_clips_are_counted_by_the_authors_labels():
    columns = {
        "corpus": ["emodb", "emodb", "emodb", "emovdb", "mine", "mine", "mine"],
        "emotion": ["sad", "sad", "angry", "happy", "bored", "happy", None],
        "raw_label": ["boredom", "sadness", "anger", "Amused", "bored", "Joy", "noise"],
    }
    counted = raw_labels(columns)
    assert counted == {
        "emodb": {"angry": {"anger": 1}, "sad": {"boredom": 1, "sadness": 1}},
        "emovdb": {"happy": {"Amused": 1}},
        "mine": {"bored": {"bored": 1}, "happy": {"Joy": 1}},
    }
    assert merged_labels(counted) == {
        "emodb": {"sad": {"boredom": 1, "sadness": 1}},
        "emovdb": {"happy": {"Amused": 1}},
    }


def test_a_speaker_of_a_gender_file_is_named_as_it_stands_there(tmp_path):
    text = "mine: {007: male, 1.0: female, NO: male, yes: male, 2020-01-01: male, e\u0301va: female, ' b ': male}\n"
    (tmp_path / "genders.yaml").write_text(text, encoding="utf-16")
    speakers = load_speaker_genders(tmp_path / "genders.yaml")["mine"]
    assert set(speakers) == {"007", "1.0", "NO", "yes", "2020-01-01", "éva", "b"}


def test_a_label_is_found_by_any_spelling_of_its_accents(tmp_path):
    (tmp_path / "rules.yaml").write_text("cole\u0300re: angry\n", encoding="utf-8")
    assert load_label_rules(str(tmp_path / "rules.yaml")) == {"colère": "angry"}
    assert parse_gender("e\u0301", {"É": "female"}) == "female"


def test_an_invalid_encoding_is_refused_with_the_name_of_the_file(tmp_path):
    (tmp_path / "rules.yaml").write_bytes("colère: angry\n".encode("cp1252"))
    for load in (load_label_rules, lambda name: load_speaker_genders(Path(name))):
        with pytest.raises(ValueError, match=r"rules\.yaml, line 1: .*UTF-8"):
            load(str(tmp_path / "rules.yaml"))
