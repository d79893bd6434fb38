from datasets import Dataset

from preprocessing.clip import Clip, SkippedClip
from preprocessing.prepared.report import format_report, summarize


def table(*rows):
    names = ("corpus", "emotion", "gender", "locale", "raw_label", "duration_s", "scale")
    return Dataset.from_dict({name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)})


def test_clips_skipped_by_a_rule_are_distinguished_from_unusable_ones(tmp_path):
    entries = [
        Clip(id="a/kept", path=tmp_path, corpus="a"),
        SkippedClip("a/short", "shorter than 0.5 s", "rule"),
        SkippedClip("a/broken", "cannot be read: empty"),
        SkippedClip("a/label", "no counterpart", "rule"),
        SkippedClip("a/again", "the same file again", "duplicate"),
        SkippedClip("a/odd", "of another form"),
        SkippedClip("b/odd", "of another form"),
    ]
    found = summarize(entries, table(("a", "sad", "male", "de-DE", "boredom", 1.5, 1.0)))
    assert found["a"]["skipped"] == dict.fromkeys((entry.reason for entry in entries[1:6]), 1)
    assert found["a"]["skipped_by_rule"] == 2
    assert found["a"]["unusable"] == {"cannot be read: empty": 1, "of another form": 1}
    assert found["a"]["raw_labels"] == {"sad": {"boredom": 1}}
    reasons = {"of another form": 1}
    assert found["b"] == {"kept": 0, "skipped": reasons, "skipped_by_rule": 0, "unusable": reasons}


def test_clips_with_votes_are_counted_where_there_are_any(tmp_path):
    rows = [("a", "sad", "male", "de-DE", "sad", 1.5, 1.0)] * 3 + [("b", "sad", "male", "de-DE", "sad", 1.5, 1.0)]
    voted = (
        table(*rows).add_column("emotion:sad", [1.0, None, 0.0, None]).add_column("emotion:fear", [0.0, 2.0, 0.0, None])
    )
    found = summarize([], voted)
    assert {corpus: part["votes"] for corpus, part in found.items()} == {"a": {"emotion": 2}, "b": {"emotion": 0}}
    assert "votes" not in summarize([], table(*rows))["a"]


REPORT = {
    "corpora": {
        "alpha": {
            "kept": 1200,
            "skipped": {"shorter than 0.5 s": 3},
            "hours": 1.25,
            "mean_duration_s": 3.75,
            "scaled_down": 2,
            "emotion": {"angry": 700, "sad": 500},
        },
        "beta": {"kept": 0, "skipped": {"not an audio file": 7}},
    },
    "settings": {"licenses": {"alpha": {"license": "CC BY 4.0", "homepage": "https://alpha.org"}, "beta": None}},
    "label_conflicts": [],
    "notes": {"paper": ["alpha: the authors' partition is kept"], "speaker": []},
}


def test_every_corpus_every_reason_and_every_note_is_a_line():
    lines = [line.split() for line in format_report(REPORT).splitlines() if line]
    assert lines[0] == "corpus clips hours mean s emotions".split()
    assert lines[1] == "alpha 1,200 1.25 3.75 angry 700, sad 500".split()
    assert lines[2] == "corpus clips note".split()
    assert lines[3] == "alpha 3 skipped: shorter than 0.5 s".split()
    assert lines[4][:2] == ["alpha", "2"]
    assert lines[5] == "beta 7 skipped: not an audio file".split()
    assert lines[6] == "license of alpha: CC BY 4.0; https://alpha.org".split()
    assert lines[7] == "protocol paper: alpha: the authors' partition is kept".split()
    assert len(lines) == 8


def test_a_class_that_holds_other_labels_of_the_authors_is_broken_down():
    labels = {"sad": {"boredom": 300, "sadness": 200}, "angry": {"anger": 700}}
    report = {**REPORT, "corpora": {"alpha": {**REPORT["corpora"]["alpha"], "raw_labels": labels}}}
    (line,) = [line for line in format_report(report).splitlines() if "boredom" in line]
    assert all(part in line for part in ("500", "sad", "300 'boredom'", "200 'sadness'"))
    assert "'anger'" not in format_report(report)


def test_a_license_without_a_homepage_is_a_line():
    licenses = {"licenses": {"alpha": {"license": "CC BY 4.0", "homepage": None}}}
    assert "license of alpha: CC BY 4.0" in format_report({**REPORT, "settings": licenses}).splitlines()
