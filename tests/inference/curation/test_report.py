from inference.curation.filter import filter_manifest
from inference.curation.report import format_report


def test_the_counts_for_people():
    report = {"rows": 2380, "kept": 1, "rejected": 2379, "unreadable": 2, "output": "k.csv", "rejected_rows": "r.csv"}
    report["conditions"] = [{"condition": "emotion == 'sad'", "rejected": 2377, "alone": 1200}]
    assert format_report(report).splitlines() == [
        "2,380 rows: 1 kept, 2,379 rejected",
        "",
        "rejected  by it alone  condition",
        "       2            2  the recording can be read",
        "   2,377        1,200  emotion == 'sad'",
        "",
        "k.csv; the reasons are in r.csv.",
    ]


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
