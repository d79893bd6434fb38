import pytest

from publishing.licence import strictest
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
        "The recordings of ravdess, cafe do not allow commercial use: the weights are not for commercial use.",
    )


def test_research_only_is_said():
    assert "research only" in strictest([LENT]).reasons[0]
