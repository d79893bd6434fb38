from inference.curation.filter import filter_manifest
from inference.curation.report import UNREADABLE, format_report
from tests.support.documents import numbers


def test_the_counts_for_people():
    report = {"rows": 2380, "kept": 1, "rejected": 2379, "unreadable": 2, "output": "k.csv", "rejected_rows": "r.csv"}
    report["conditions"] = [{"condition": "emotion == 'sad'", "rejected": 2377, "alone": 1200}]
    counts, _, _, *conditions, _, outputs = format_report(report).splitlines()
    assert numbers(counts) == [2380, 1, 2379]
    assert [line.split(maxsplit=2) for line in conditions] == [
        ["2", "2", UNREADABLE],
        ["2,377", "1,200", "emotion == 'sad'"],
    ]
    assert [name in outputs for name in ("k.csv", "r.csv")] == [True, True]


def test_labels_without_a_class_are_counted(checkpoint, folder):
    manifest = folder / "m.csv"
    manifest.write_text("path,sex\nlow.wav,female\nmid.wav,x\nother.wav,x\nhigh.wav,diverse\n")
    keep = ["gender == manifest_sex"]
    report = filter_manifest(manifest, str(checkpoint), folder / "kept.csv", keep, num_proc=1, vad=False)
    assert report["unknown_labels"] == {keep[0]: {"x": 2, "diverse": 1}}
    assert "x (2 rows)" in format_report(report)


def test_rows_that_cannot_be_read_are_counted_by_reason(checkpoint, folder):
    manifest = folder / "m.csv"
    manifest.write_text("path\nlow.wav\nnone.wav\nnowhere.wav\nbad.wav\n")
    keep = ["duration_s > 0"]
    report = filter_manifest(manifest, str(checkpoint), folder / "kept.csv", keep, num_proc=1, vad=False)
    assert sorted(report["unreadable_because"].values()) == [1, 2]
    assert report["unreadable"] == 3
