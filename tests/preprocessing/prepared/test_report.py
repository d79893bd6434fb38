from datasets import Dataset

from preprocessing.clip import Clip, SkippedClip
from preprocessing.prepared.report import summarize


def table(*rows):
    names = ("corpus", "emotion", "gender", "locale", "raw_label", "duration_s", "scale")
    return Dataset.from_dict({name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)})


def test_what_a_rule_leaves_out_is_told_from_what_could_not_be_used(tmp_path):
    entries = [
        Clip(id="a/kept", path=tmp_path, corpus="a"),
        Clip(id="a/short", path=tmp_path, corpus="a"),
        Clip(id="a/broken", path=tmp_path, corpus="a"),
        SkippedClip("a/label", "no counterpart", "rule"),
        SkippedClip("a/again", "the same file again", "copy"),
        SkippedClip("a/odd", "of another form"),
        SkippedClip("b/odd", "of another form"),
    ]
    drops = [None, "shorter than 0.5 s", "cannot be read: empty"] + [entry.reason for entry in entries[3:]]
    found = summarize(entries, drops, table(("a", "sad", "male", "de-DE", "boredom", 1.5, 1.0)))
    assert found["a"]["dropped"] == dict.fromkeys(drops[1:6], 1)
    assert found["a"]["by_rule"] == 2
    assert found["a"]["skipped"] == {"cannot be read: empty": 1, "of another form": 1}
    assert found["a"]["raw_labels"] == {"sad": {"boredom": 1}}
    assert found["b"] == {"kept": 0, "dropped": {"of another form": 1}, "by_rule": 0, "skipped": {"of another form": 1}}
