import yaml

from publishing.license import most_restrictive
from publishing.metadata import card_data, languages
from tests.conftest import tiny_config
from tests.publishing.conftest import NON_COMMERCIAL, REPO, corpus


def data_of(metrics, base_model=None, *data):
    license = most_restrictive(data or [corpus("emodb")])
    return card_data(metrics, ["de-DE", "zh-Hans"], tiny_config().to_dict(), REPO, license, base_model)


def results(metrics):
    return {(r.dataset_type, r.metric_type): r.metric_value for r in data_of(metrics).eval_results}


def test_languages_of_the_papers_locales_are_iso_codes():
    locales = "bn-BN de-DE el-EL en-US es-MX fa-FA fr-FR it-IT pl-PL pt-BR pt-PT ur-UR zh-Hans".split()
    assert languages(locales) == "bn de el en es fa fr it pl pt ur zh".split()
    assert languages(["1-X", "swiss", "gsw-CH"]) == ["gsw"]


def test_every_corpus_and_locale_has_its_three_figures(metrics):
    main = metrics["tasks"]["emotion"]
    found = results(metrics)
    rows = {"mean-over-corpora": main["mean_over_corpora"], **main["corpora"]}
    rows |= {f"locale-{name}": row for name, row in main["locales"].items()}
    names = {"f1": "weighted_f1", "recall": "weighted_recall", "precision": "weighted_precision"}
    assert found == {(part, type_): row[name] for part, row in rows.items() for type_, name in names.items()}
    assert len(found) == 3 * (1 + 2 + 2)


def test_unknown_values_are_omitted_and_numbers_are_built_in(metrics):
    mine = metrics["tasks"]["emotion"]["corpora"]["mine"]
    mine["weighted_f1"], mine["weighted_recall"] = float("nan"), None
    assert {type_ for part, type_ in results(metrics) if part == "mine"} == {"precision"}
    text = data_of(metrics).to_yaml()
    assert "!!" not in text
    assert ".nan" not in text


def test_a_regression_has_its_own_figures(metrics):
    metrics["main_task"] = "f0_mean"
    found = results(metrics)
    assert found["emodb", "mae"] == metrics["tasks"]["f0_mean"]["corpora"]["emodb"]["mae"]
    assert {type_ for _, type_ in found} == {"ccc", "pearsonr", "mae"}


def test_license_and_base_model(metrics):
    free = yaml.safe_load(data_of(metrics).to_yaml())
    assert free["license"] == "apache-2.0"
    assert not {"license_name", "license_link", "base_model"} & free.keys()
    bound = yaml.safe_load(data_of(metrics, "org/base", corpus("ravdess", NON_COMMERCIAL)).to_yaml())
    assert (bound["license"], bound["license_name"]) == ("other", "non-commercial-data")
    assert bound["license_link"] == f"https://huggingface.co/{REPO}#training-data-and-licenses"
    assert bound["base_model"] == "org/base"
