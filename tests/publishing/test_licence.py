import pytest

from publishing.licence import NOT_STATED, backbone, strictest
from tests.publishing.conftest import NON_COMMERCIAL, OPEN, OWN, RESEARCH, corpus

OPEN_CORPUS, NC = corpus("emodb", OPEN), corpus("ravdess", NON_COMMERCIAL)
LENT, MINE = corpus("savee", RESEARCH), corpus("calls", OWN)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        ([OPEN_CORPUS], "apache-2.0", ["emodb"]),
        ([OPEN_CORPUS, NC], "non-commercial-data", ["ravdess"]),
        ([NC, LENT, OPEN_CORPUS], "research-only-data", ["savee", "ravdess"]),
        ([corpus("lent", {**OPEN, "redistributable": False}), OPEN_CORPUS], "research-only-data", ["lent"]),
        ([NC, MINE, LENT], "unstated-data-licence", ["calls", "savee", "ravdess"]),
        ([OPEN_CORPUS, MINE], "unstated-data-licence", ["calls"]),
    ],
)
def test_the_strictest_wins_and_every_restriction_is_said(data, name, said):
    licence = strictest(data)
    assert licence.name == name
    assert licence.is_open == (name == "apache-2.0")
    assert [reason.split()[3] for reason in licence.reasons] == said


def test_corpora_under_the_same_restriction_are_one_sentence():
    assert strictest([NC, corpus("cafe", NON_COMMERCIAL)]).reasons == (
        "The licences of ravdess, cafe do not allow commercial use: the weights are not for commercial use.",
    )


def test_research_only_is_said():
    assert "research only" in strictest([LENT]).reasons[0]


def test_a_corpus_of_two_trainings_is_named_once():
    assert [reason.count("ravdess") for reason in strictest([NC, OPEN_CORPUS, NC]).reasons] == [1]


@pytest.mark.parametrize(
    ("name", "licence", "weights"),
    [
        ("facebook/wav2vec2-large-xlsr-53", "Apache-2.0", "apache-2.0"),
        ("facebook/wav2vec2-xls-r-300m", "Apache-2.0", "apache-2.0"),
        ("Cnn14_16k_mAP=0.438.pth", "CC BY 4.0", "apache-2.0"),
        ("facebook/mms-300m", "CC BY-NC 4.0", "non-commercial-data"),
        ("team/ser-iemocap", NOT_STATED, "unstated-data-licence"),
    ],
)
def test_what_training_starts_from_has_a_licence_too(name, licence, weights):
    started = backbone(name)
    assert started["licence"] == licence
    assert strictest([OPEN_CORPUS, started]).name == weights
    assert started.keys() == NC.keys()


def test_the_publisher_of_panns_is_linked():
    assert backbone("Cnn14_16k_mAP=0.438.pth")["homepage"] == "https://zenodo.org/record/3987831"
    assert backbone("org/base")["homepage"] == "https://huggingface.co/org/base"
