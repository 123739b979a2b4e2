import pytest
from pocketsphinx_text import bare_word, tidy_transcript


@pytest.mark.parametrize(("word", "expected"), [("the(2)", "the"), ("to(13)", "to"), ("i'm", "i'm")])
def test_marks_of_further_pronunciations_go(word, expected):
    assert bare_word(word) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ""),
        ("good morning everyone", "Good morning everyone"),
        ("today i think i'm in italy", "Today I think I'm in italy"),
        ("i have twenty five dollars", "I have twenty-five dollars"),
        ("twenty fifteen", "Twenty fifteen"),
    ],
)
def test_words_become_a_line_that_a_translator_reads_well(words, expected):
    assert tidy_transcript(words.split()) == expected
