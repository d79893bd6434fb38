"""One module per corpus. To add one: its module, and a line here."""

from . import emodb, ravdess, urdu
from .corpus import Corpus

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        emodb.CORPUS,
        ravdess.CORPUS,
        urdu.CORPUS,
    )
}

__all__ = ["CORPORA", "Corpus"]
