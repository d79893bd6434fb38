"""One module per corpus. To add one: its module, its import here, and a line at the end of `CORPORA`."""

from . import (
    adept,
    aesdd,
    cafe,
    castro,
    cremad,
    emodb,
    emovdb,
    emovo,
    enterface05,
    esd,
    iemocap,
    jl,
    meld,
    mesd,
    msp_podcast,
    oreau02,
    pavoque,
    polish,
    ravdess,
    savee,
    shemo,
    subesco,
    tess,
    urdu,
    verbo,
)
from .corpus import Corpus

# In the order of the paper's Table 1.
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        esd.CORPUS_EN,
        esd.CORPUS_ZH,
        aesdd.CORPUS,
        cremad.CORPUS,
        savee.CORPUS,
        tess.CORPUS,
        ravdess.CORPUS,
        iemocap.CORPUS,
        emodb.CORPUS,
        meld.CORPUS,
        urdu.CORPUS,
        emovo.CORPUS,
        shemo.CORPUS,
        emovdb.CORPUS,
        subesco.CORPUS,
        pavoque.CORPUS,
        adept.CORPUS,
        enterface05.CORPUS,
        cafe.CORPUS,
        jl.CORPUS,
        oreau02.CORPUS,
        verbo.CORPUS,
        mesd.CORPUS,
        polish.CORPUS,
        castro.CORPUS,
        msp_podcast.CORPUS,  # which is not in the table, as all that follow
    )
}

__all__ = ["CORPORA", "Corpus"]
