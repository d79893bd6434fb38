import pytest

from preprocessing.corpora import CORPORA
from publishing.license import NOT_STATED, backbone, hub_id, most_restrictive
from tests.publishing.conftest import NON_COMMERCIAL, OPEN, OWN, RESEARCH, corpus

OPEN_CORPUS, NC = corpus("emodb", OPEN), corpus("ravdess", NON_COMMERCIAL)
LENT, MINE = corpus("savee", RESEARCH), corpus("calls", OWN)


@pytest.mark.parametrize(
    ("data", "name", "listed"),
    [
        ([OPEN_CORPUS], "apache-2.0", ["emodb"]),
        ([OPEN_CORPUS, NC], "non-commercial-data", ["ravdess"]),
        ([NC, LENT, OPEN_CORPUS], "research-only-data", ["savee", "ravdess"]),
        ([corpus("lent", {**OPEN, "redistributable": False}), OPEN_CORPUS], "research-only-data", ["lent"]),
        ([NC, MINE, LENT], "unstated-data-license", ["calls", "savee", "ravdess"]),
        ([OPEN_CORPUS, MINE], "unstated-data-license", ["calls"]),
    ],
)
def test_the_most_restrictive_license_names_the_weights_and_every_restriction_is_listed(data, name, listed):
    license = most_restrictive(data)
    assert license.name == name
    assert license.is_open == (name == "apache-2.0")
    corpora = {entry["corpus"] for entry in data}
    assert [[name for name in corpora if name in reason] for reason in license.reasons] == [[name] for name in listed]


def test_corpora_under_the_same_restriction_are_listed_together():
    (reason,) = most_restrictive([NC, corpus("cafe", NON_COMMERCIAL)]).reasons
    assert "ravdess, cafe" in reason


def test_a_corpus_of_two_trainings_is_named_once():
    assert [reason.count("ravdess") for reason in most_restrictive([NC, OPEN_CORPUS, NC]).reasons] == [1]


@pytest.mark.parametrize(
    ("name", "license", "weights"),
    [
        ("facebook/wav2vec2-large-xlsr-53", "Apache-2.0", "apache-2.0"),
        ("facebook/wav2vec2-xls-r-300m", "Apache-2.0", "apache-2.0"),
        ("Cnn14_16k_mAP=0.438.pth", "CC BY 4.0", "apache-2.0"),
        ("facebook/mms-300m", "CC BY-NC 4.0", "non-commercial-data"),
        ("facebook/wav2vec2-base", "Apache-2.0", "apache-2.0"),
        ("facebook/hubert-large-ll60k", "Apache-2.0", "apache-2.0"),
        ("facebook/data2vec-audio-base-960h", "Apache-2.0", "apache-2.0"),
        ("facebook/w2v-bert-2.0", "MIT", "apache-2.0"),
        ("openai/whisper-base", "Apache-2.0", "apache-2.0"),
        ("distil-whisper/distil-small.en", "MIT", "apache-2.0"),
        ("microsoft/unispeech-sat-large", "CC BY-SA 3.0", "share-alike-data"),
        ("microsoft/wavlm-large", NOT_STATED, "unstated-data-license"),
        ("team/ser-iemocap", NOT_STATED, "unstated-data-license"),
    ],
)
def test_the_start_of_a_training_has_a_license_too(name, license, weights):
    started = backbone(name)
    assert started["license"] == license
    assert most_restrictive([OPEN_CORPUS, started]).name == weights
    assert started.keys() == NC.keys()


def test_the_authors_of_panns_are_linked():
    assert backbone("Cnn14_16k_mAP=0.438.pth")["homepage"] == "https://zenodo.org/record/3987831"
    assert backbone("org/base")["homepage"] == "https://huggingface.co/org/base"


@pytest.mark.parametrize(
    ("license", "expected"),
    [
        ("CC BY-NC-SA 4.0", "cc-by-nc-sa-4.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc-by-4.0", "cc-by-4.0"),
        ("CC0", "cc0-1.0"),
        ("ODbL 1.0, contents DbCL 1.0", "odbl"),
        ("CC BY 4.0 or CC0 1.0, sources differ", None),
        ("research only", None),
        ("", None),
    ],
)
def test_the_hubs_name_of_a_license(license, expected):
    assert hub_id(license) == expected


def test_every_license_that_allows_redistribution_is_on_the_hub_or_in_dispute():
    unknown = [c.license for c in CORPORA.values() if c.redistributable and hub_id(c.license) is None]
    assert all("sources differ" in license for license in unknown)
