from preprocessing.demo.sentences import ESPEAK_VOICES, SENTENCES
from preprocessing.labels import LOCALES


def test_the_sentences_of_a_locale_are_distinct():
    assert set(SENTENCES) == set(ESPEAK_VOICES) == set(LOCALES)
    for locale, sentences in SENTENCES.items():
        assert len(set(sentences)) == len(sentences) == 6, locale
    assert len(set(ESPEAK_VOICES.values())) == len(ESPEAK_VOICES)
