import json

import pytest

from evaluation.run import evaluate_checkpoints


@pytest.mark.slow
def test_an_evaluation_under_conditions_has_their_table_and_figure(checkpoint, prepared, tmp_path, capsys):
    conditions = ["gain:-60", "babble:-20"]
    for output in ("first", "second"):
        evaluate_checkpoints([str(checkpoint)], prepared, tmp_path / output, protocol="paper", conditions=conditions)
    report = json.loads((tmp_path / "first" / "metrics.json").read_text(encoding="utf-8"))
    again = json.loads((tmp_path / "second" / "metrics.json").read_text(encoding="utf-8"))
    assert report["conditions"] == again["conditions"]
    clean, gain, babble = (report["conditions"][name] for name in ("clean", *conditions))
    main = report["tasks"]["emotion"]
    for corpus, row in clean["corpora"].items():
        assert row["weighted_f1"] == main["corpora"][corpus]["weighted_f1"]
    assert gain["mean_over_corpora"]["change"]["difference"] == pytest.approx(0, abs=0.05)  # the level is normalized
    assert babble["mean_over_corpora"]["weighted_f1"] != clean["mean_over_corpora"]["weighted_f1"]
    assert (tmp_path / "first" / "figures" / "robustness_1.png").is_file()
    text = (tmp_path / "first" / "report.md").read_text(encoding="utf-8")
    assert "figures/robustness_1.png" in text
    printed = capsys.readouterr().out
    for shown in (text, printed):
        assert f"{babble['mean_over_corpora']['change']['difference']:+.3f}" in shown
    summary = json.loads((tmp_path / "first" / "report.json").read_text(encoding="utf-8"))
    assert summary["models"][0]["conditions"] == report["conditions"]


def test_a_condition_that_is_not_valid_is_refused_before_anything_else(tmp_path):
    with pytest.raises(ValueError, match="noise:loud"):
        evaluate_checkpoints(["nowhere"], tmp_path / "neither", tmp_path, conditions=["noise:loud"])
