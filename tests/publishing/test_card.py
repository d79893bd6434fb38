import json
import re
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard
from jinja2 import UndefinedError

from modeling import Task
from publishing.card import COLUMNS, render_card, shown_figures
from tests.conftest import TASKS, tiny_config
from tests.publishing.conftest import NON_COMMERCIAL, OWN, REPO, RESEARCH, corpus, training_record
from tests.support.documents import bullets, numbers, prose, section, seen_in_training
from tests.support.small_models import FAMILIES, panns_config

STARTED = "corpus, or weights it started from"
LICENSES = "Training data and licenses"


def render(metrics, training=None, figures=("confusion.png",), **config):
    if "model_type" not in config:
        config = {**tiny_config().to_dict(), **config}
    return render_card(metrics, training or training_record(), config, REPO, figures)


def tables(card) -> dict[tuple[str, ...], list[list[str]]]:
    """The card's tables by the cells of their header."""
    found, rows = {}, []
    for line in [*card.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows:
            assert {len(row) for row in rows if row[0] != rows[1][0]} == {len(rows[0])}, rows
            found[tuple(rows[0])] = [rows[0], *rows[2:]][1:]
            rows = []
    return found


def one(card, *start):
    """The rows of the table whose header begins like this."""
    (rows,) = [rows for header, rows in tables(card).items() if header[: len(start)] == start]
    return rows


def score(row, name) -> str:
    value = "–" if row[name] is None else f"{row[name]:.3f}"
    return value + (" ({:.3f} to {:.3f})".format(*row[f"{name}_ci"]) if f"{name}_ci" in row else "")


def scores(row, kind="classification") -> list[str]:
    return [score(row, name) for name in COLUMNS[kind].values()]


def test_a_standardized_input_has_no_level_on_the_card(metrics):
    energy = Task("energy_mean", "regression", "energy_mean", unit="FS", mean=10.0, std=5.0)
    with_energy = tiny_config((*TASKS, energy)).to_dict()
    cards = render(metrics, **with_energy), render(metrics, **panns_config(tasks=with_energy["tasks"]).to_dict())
    inferred, measured = ([text for text in bullets(card, "Limits") if "energy_mean" in text] for card in cards)
    assert len(inferred) == len(measured) == 1
    assert inferred[0].startswith(measured[0])
    assert inferred != measured
    assert "energy_mean" not in section(render(metrics), "Limits")


def test_rates_of_parts_and_low_rank_updates_have_rows_where_they_were_set(metrics):
    fine_tuning = {"head_learning_rate": 1e-3, "layer_decay": 0.9, "lora_rank": 8}
    plain, rows = (
        dict(one(render(metrics, training_record(**fields)), "what", "value"))
        for fields in ({}, {"fine_tuning": fine_tuning})
    )
    assert {*rows.items()} - {*plain.items()} == {
        ("learning rate of the heads", "0.001"),
        ("factor of the learning rate per layer below", "0.9"),
        ("LoRA, merged", "rank 8"),
    }


def test_a_model_of_all_clips_has_the_figures_of_its_recipe_and_says_so(metrics):
    of_recipe = {**metrics, "tested": ["a", "b", "c"], "num_clips_seen_in_training": 7}
    card = render(of_recipe)
    (added,) = [text for text in prose(card, "Results") if "**" in text]
    assert not any("**" in text for text in prose(render(metrics), "Results"))
    assert 3 in numbers(added.rpartition("**")[2])
    assert seen_in_training(card)[0] is None


def test_conditions_are_next_to_the_clean_clips(metrics):
    corpora = metrics["tasks"]["emotion"]["corpora"]
    clean = {"weighted_f1": 0.7, "weighted_f1_ci": [0.6, 0.8]}
    change = {"difference": -0.25, "ci": [-0.3, -0.2], "p": 0.001}
    noisy = {"weighted_f1": 0.45, "weighted_f1_ci": None, "ci_reason": "1 speaker", "change": change}
    conditions = {
        name: {"mean_over_corpora": row, "corpora": dict.fromkeys(corpora, row)}
        for name, row in (("clean", clean), ("noise:10", noisy))
    }
    rows = one(render({**metrics, "conditions": conditions}), "condition")
    assert [row[0] for row in rows] == ["clean", "noise:10"]
    assert [row[1:3] for row in rows] == [
        [score(clean, "weighted_f1"), ""],
        ["0.450 (no interval: 1 speaker)", "-0.250 (-0.300 to -0.200)"],
    ]


def test_the_augmentation_of_a_training_has_a_row(metrics):
    augmentation = {"transforms": ["noise", "room"], "probability": 0.25}
    rows = dict(one(render(metrics, training_record(augmentation=augmentation)), "what", "value"))
    assert all(text in rows["augmentation"] for text in ("0.25", "noise", "room"))


def test_sampling_over_corpora_has_a_row_with_the_clips_of_an_epoch(metrics):
    sampling = {"temperature": 0.5, "clips_per_epoch": {"emodb": 1234, "mine": 56}}
    plain, sampled = (
        dict(one(render(metrics, training_record(corpus_sampling=value)), "what", "value"))
        for value in (None, sampling)
    )
    ((_, row),) = {*sampled.items()} - {*plain.items()}
    assert all(text in row for text in ("0.5", "emodb 1,234", "mine 56"))


def test_every_number_of_the_results_is_that_of_metrics_json(metrics):
    card = render(metrics)
    main, others = metrics["tasks"]["emotion"], metrics["tasks"]
    *corpora, mean = one(card, "corpus", "F1")
    assert corpora == [[name, *scores(row), str(row["clips"]), "5"] for name, row in main["corpora"].items()]
    assert mean[1:7] == [*scores(main["mean_over_corpora"]), "120"]
    assert one(card, "locale, mean over its corpora") == [
        [name, *scores(row), "60", row["corpora"][0]] for name, row in main["locales"].items()
    ]
    assert one(card, "head", "F1") == [["gender", *scores(others["gender"]["pooled"]), "80"]]
    assert one(card, "head", "CCC") == [["f0_mean (Hz)", *scores(others["f0_mean"]["pooled"], "regression"), "120"]]
    counts = dict(zip(main["confusion"]["labels"], main["confusion"]["counts"], strict=True))
    assert one(card, "true \\ predicted, clips") == [[name, *map(str, row)] for name, row in counts.items()]
    assert one(card, "by") == [
        [by, name, *scores(row), str(row["clips"])]
        for by, groups in main["groups"].items()
        for name, row in groups.items()
    ]
    assert one(card, "head", "temperature") == [
        [
            name,
            f"{others[name]['calibration']['temperature']:.3f}",
            *(score(others[name]["calibration"][when], "ece") for when in ("before", "after")),
            f"{others[name]['calibration']['aurc']:.3f}",
        ]
        for name in ("emotion", "gender")
    ]
    assert one(card, "minimum confidence") == [
        [f"{p['threshold']:g}", str(p["clips"]), f"{p['coverage']:.3f}", f"{p['accuracy']:.3f}"]
        for p in main["calibration"]["risk_coverage"]
    ]


def test_every_number_of_the_training_is_that_of_training_json(metrics):
    base = {"start": "hub", "base_model": "org/base", "revision": "c0ffee"}
    before = training_record(corpus("ravdess", NON_COMMERCIAL), seed=7, **base)
    record = training_record(start="local checkpoint", before=before, locales=["pl-PL"])
    card = render(metrics, record)
    assert one(card, STARTED, "training clips") == [
        ["[EMODB](https://emodb.org)", "1,200", "1.25", "CC BY 4.0", "yes", "yes"],
        ["mine", "1,200", "1.25", "not stated", "not stated", "not stated"],
        ["[RAVDESS](https://ravdess.org)", "1,200", "1.25", "CC BY-NC-SA 4.0", "no", "yes"],
        ["[org/base](https://huggingface.co/org/base)", "–", "–", *["not stated"] * 3],
    ]
    values = dict(row for row in one(render(metrics), "what"))
    assert values == {
        "started from": "random weights",
        "protocol": "paper",
        "seed": "42",
        "epochs": "10",
        "clips per update": "32",
        "learning rate": "0.0001",
        "weight decay": "0",
        "precision": "float32",
        "parameters": "23,456 (12,345 trained)",
        "hardware": "CPU, threads: 2",
        "time": "2.2 minutes",
        "versions": "torch 2.13.0",
    }
    assert "| seed | 7 |" in card
    assert "`org/base` at commit `c0ffee`" in card
    assert any(numbers(text)[:1] == [3] and "de-DE, pl-PL, zh-Hans" in text for text in bullets(card, "Limits"))
    assert ModelCard(card).data.base_model == "org/base"
    assert ModelCard(card).data.language == ["de", "pl", "zh"]


def test_the_license_of_a_local_checkpoint_is_not_stated(metrics):
    card = ModelCard(render(metrics, training_record(corpus("emodb"), start="local checkpoint")))
    assert card.data.license_name == "unstated-data-license"
    assert any("an earlier checkpoint" in reason for reason in bullets(card.text, LICENSES))


def test_a_license_is_not_laundered_by_a_start_from_the_hub(metrics):
    hub = {"start": "hub", "base_model": "team/ser-iemocap", "revision": "c0ffee"}
    before = training_record(corpus("iemocap", RESEARCH))
    card = ModelCard(render(metrics, training_record(corpus("emodb"), **hub, before=before)))
    assert (card.data.license_name, card.data.base_model) == ("research-only-data", "team/ser-iemocap")
    assert [("iemocap" in reason, "emodb" in reason) for reason in bullets(card.text, LICENSES)] == [(True, False)]
    card = ModelCard(render(metrics, training_record(corpus("emodb"), **hub)))
    assert card.data.license_name == "unstated-data-license"
    assert ["team/ser-iemocap" in reason for reason in bullets(card.text, LICENSES)] == [True]


def test_a_known_backbone_has_its_authors_license(metrics):
    xlsr = "facebook/wav2vec2-large-xlsr-53"
    card = ModelCard(render(metrics, training_record(corpus("emodb"), start="hub", base_model=xlsr, revision="c0ffee")))
    assert (card.data.license, card.data.base_model) == ("apache-2.0", xlsr)
    published = {"start": "published file", "base_model": "Cnn14_16k_mAP=0.438.pth"}
    card = ModelCard(render(metrics, training_record(corpus("emodb"), **published)))
    assert (card.data.license, card.data.base_model) == ("apache-2.0", None)
    panns = "[Cnn14_16k_mAP=0.438.pth](https://zenodo.org/record/3987831)"
    assert one(card.content, STARTED)[1] == [panns, "–", "–", "CC BY 4.0", "yes", "yes"]
    assert "| started from | `Cnn14_16k_mAP=0.438.pth` |" in card.text


@pytest.mark.parametrize(
    ("family", "base_model", "license"),
    [
        ("wav2vec2", "facebook/wav2vec2-large-xlsr-53", "apache-2.0"),
        ("wav2vec2", "facebook/mms-300m", "non-commercial-data"),
        ("hubert", "facebook/hubert-base-ls960", "apache-2.0"),
        ("wavlm", "microsoft/wavlm-large", "unstated-data-license"),
        ("unispeech-sat", "microsoft/unispeech-sat-base-plus", "share-alike-data"),
        ("data2vec-audio", "facebook/data2vec-audio-large", "apache-2.0"),
        ("wav2vec2-bert", "facebook/w2v-bert-2.0", "apache-2.0"),
        ("whisper", "openai/whisper-base", "apache-2.0"),
        ("whisper", "distil-whisper/distil-large-v3", "apache-2.0"),
    ],
)
def test_every_family_has_a_card_with_its_base_model_and_license(metrics, family, base_model, license):
    model = FAMILIES[family].model
    config = model.config_from_backbone(FAMILIES[family].config, TASKS, layer_weights=True)
    record = training_record(corpus("emodb"), start="hub", base_model=base_model, revision="c0ffee")
    text = render(metrics, record, **config.to_dict())
    data = ModelCard(text).data
    assert data.base_model == base_model
    assert (data.license if data.license != "other" else data.license_name) == license
    assert config.hub_tag in data.tags
    assert config.description in text
    started = [row[0] for row in one(text, STARTED)]
    assert f"[{base_model}](https://huggingface.co/{base_model})" in started


def test_the_metadata_come_back(metrics):
    data = ModelCard(render(metrics)).data
    assert (data.library_name, data.pipeline_tag) == ("transformers", "audio-classification")
    assert data.tags == ["audio", "speech", "speech-emotion-recognition", "multi-task", "wav2vec2"]
    values = {(r.dataset_type, r.metric_type): r.metric_value for r in data.eval_results}
    assert values["mean-over-corpora", "f1"] == metrics["tasks"]["emotion"]["mean_over_corpora"]["weighted_f1"]


@pytest.mark.parametrize(
    ("data", "restriction"),
    [
        (corpus("emodb"), None),
        (corpus("ravdess", NON_COMMERCIAL), "non-commercial-data"),
        (corpus("savee", RESEARCH), "research-only-data"),
    ],
)
def test_restrictions_of_the_licenses_come_first(metrics, data, restriction):
    head = ModelCard(render(metrics, training_record(data))).text.partition("## How to use")[0]
    assert re.findall(r"\(`(.*?)`\)", head) == ([restriction] if restriction else [])
    assert ("Apache-2.0" in head) == (restriction is None)
    assert (data["corpus"] in head) == (restriction is not None)


def test_missing_classes_and_seen_clips_are_on_the_card(metrics):
    metrics["num_clips_seen_in_training"] = 7
    metrics["without_clips"] = {"corpora": ["tess"], "locales": []}
    metrics["tasks"]["gender"] = {"kind": "classification", "clips": 0}
    card = render(metrics, training_record(seconds=None))
    assert seen_in_training(card)[0] == 7
    assert any("happy" in text for text in prose(card, "Confusion"))
    assert any("gender" in text for text in prose(card, "Results"))
    assert "tess" in section(card, "Evaluation protocol")
    assert "| time | not recorded |" in card
    metrics["num_clips_seen_in_training"] = None
    assert seen_in_training(render(metrics))[0] is None


def test_calibration_is_on_the_card(metrics):
    fitted_on = "validation"
    assert any(fitted_on in text for text in prose(render(metrics), "Confidence"))
    for name in ("emotion", "gender"):
        metrics["tasks"][name]["calibration"]["temperature"] = 1.0  # --calibrate false
    assert not any(fitted_on in text for text in prose(render(metrics), "Confidence"))


def test_unknown_locales_are_not_listed(metrics):
    card = render(metrics, training_record(locales=[]))
    (added,) = {*bullets(card, "Limits")} - {*bullets(render(metrics), "Limits")}
    assert not re.search(r"\d|[a-z]{2}-[A-Z]", added)
    assert ModelCard(card).data.language is None


def test_seen_speakers_are_on_the_card(metrics):
    assert seen_in_training(render(metrics)) == (0, None)
    metrics["protocol"]["family"] = "speaker"
    assert seen_in_training(render(metrics)) == (0, None)  # the protocol alone does not determine the training clips
    for seen in (None, 3, 0):
        metrics["num_speakers_seen_in_training"] = seen
        assert seen_in_training(render(metrics)) == (0, seen)


def test_a_regression_alone_has_a_card(metrics):
    metrics["main_task"] = "f0_mean"
    card = render(metrics, figures=())
    rows = metrics["tasks"]["f0_mean"]["corpora"]
    assert [row[1:5] for row in one(card, "corpus", "CCC")][:2] == [scores(row, "regression") for row in rows.values()]
    assert "### Confusion" not in card
    assert '"audio-classification", model=' not in card


def test_only_figures_that_are_there_are_shown(metrics):
    shown = shown_figures("emotion")
    assert re.findall(r"\(figures/(.*?)\)", render(metrics, figures=tuple(shown.values()))) == list(shown.values())
    assert "](figures/" not in render(metrics, figures=())


@pytest.mark.parametrize("lost", ["protocol", "without_clips", "versions"])
def test_an_undefined_name_is_an_error(metrics, lost):
    del metrics[lost]
    with pytest.raises((UndefinedError, KeyError), match=lost):
        render(metrics)


def test_nothing_of_the_template_is_left(metrics):
    text = render(metrics).partition("## How to cite")[0]
    assert not re.search(r"{{|{%|{#|Undefined|None\b(?! of)", text)
    assert "\n\n\n" not in text


EVIL = "x|y\n---\nlicense: mit\n---\n# {{ 6007 * 6007 }} <script>alert(1)</script> [a](javascript:b) `c` ![d](http://e)"


def test_nothing_in_a_card_is_more_than_text(metrics):
    """Neither labels nor names of corpora, which any table may hold, nor the record of another's checkpoint."""
    text = json.dumps(metrics)
    for word in ("happy", "alpha", "de-DE", "female"):
        text = text.replace(json.dumps(word), json.dumps(f"{word} {EVIL}"))
    task = replace(TASKS[0], labels=("angry", f"happy {EVIL}", "sad"))
    data = [corpus(EVIL, license={**corpus("a"), "license": EVIL}, title=EVIL, homepage="javascript:alert(1)")]
    record = training_record(*data, locales=[EVIL], protocol=EVIL, hardware={"device": EVIL, "processes": 1})
    card = render_card(json.loads(text), record, tiny_config([task]).to_dict(), REPO, [])
    for sign in (r"<script", r"(?<!\\)\]\((javascript|http://e)", r"\n# {{", r"`c`", r"36084049"):
        assert not re.search(sign, ModelCard(card).text), sign
    head = yaml.safe_load(re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)[1])
    assert (head["library_name"], head["license"]) == ("transformers", "apache-2.0")
    names = {result["dataset"]["name"] for result in head["model-index"][0]["results"]}
    assert any(name.startswith(f"de-DE {EVIL}") for name in names)
    assert one(card, "true \\ predicted, clips")  # tables are whole


def test_only_merged_classes_of_the_training_are_listed(metrics):
    header = ("corpus", "class")
    assert not any(found[:2] == header for found in tables(render(metrics)))
    merged = {"emodb": {"sad": {"boredom": 1081, "sadness": 62}}, "jl": {"happy": {"excited": 3}}}
    record = training_record(corpus("emodb"), corpus("jl"), merged_labels=merged)
    expected = [["emodb", "sad", "1,081 boredom, 62 sadness"], ["jl", "happy", "3 excited"]]
    assert one(render(metrics, record), *header) == expected
    onward = training_record(corpus("jl"), start="local checkpoint", before=record)  # under rules that merge nothing
    assert one(render(metrics, onward), *header) == expected[:1]


def test_the_card_names_the_codes_commit(metrics):
    metrics["versions"]["commit"] = "c0ffee"
    card = render(metrics, training_record(versions={"commit": "f00d", "torch": "2.13.0"}))
    assert "commit c0ffee" in card
    assert "commit f00d" in dict(one(card, "what"))["versions"]


def test_a_corpus_of_two_trainings_is_one_row_of_both(metrics):
    before = training_record(corpus("emodb", clips=400, hours=0.5), corpus("mine", OWN), corpus("jl"))
    record = training_record(corpus("emodb"), corpus("mine", OWN), start="local checkpoint", before=before)
    assert [row[:3] for row in one(render(metrics, record), STARTED)] == [
        ["[EMODB](https://emodb.org)", "1,200, earlier 400", "1.25, earlier 0.50"],
        ["mine", "1,200", "1.25"],
        ["[JL](https://jl.org)", "1,200", "1.25"],
    ]
