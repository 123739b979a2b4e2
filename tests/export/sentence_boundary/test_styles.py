import pytest

from export.sentence_boundary.styles import speech_like, spelled


def test_speech_has_neither_capitals_nor_marks():
    assert speech_like("“Don't!” she said, twice.", "en") == "don't she said twice"


@pytest.mark.parametrize(
    ("number", "language", "words"),
    [
        (0, "en", "zero"),
        (17, "en", "seventeen"),
        (20, "en", "twenty"),
        (42, "en", "forty two"),
        (90, "en", "ninety"),
        (16, "es", "dieciséis"),
        (20, "es", "veinte"),
        (25, "es", "veinticinco"),
        (30, "es", "treinta"),
        (99, "es", "noventa y nueve"),
    ],
)
def test_numbers_below_a_hundred_are_spelled(number, language, words):
    assert " ".join(spelled(number, language)) == words


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_two_numbers_are_spelled_alike(language):
    assert len({tuple(spelled(number, language)) for number in range(100)}) == 100


def test_a_sentence_with_other_numbers_has_no_speech_like_form():
    assert speech_like("It was 1984.", "en") is None
    assert speech_like("It is 3.5 long.", "en") is None
