import pytest
from generate.xtts.text.expansions import expand_abbreviations, expand_signs


@pytest.mark.parametrize(
    ("text", "language", "expanded"),
    [
        ("dr. lee and mrs. wu", "en", "doctor lee and misess wu"),
        ("the street is st andrews", "en", "the street is st andrews"),
        ("last. best.", "en", "last. best."),
        ("г-н иванов", "ru", "господин иванов"),
        ("dhr. jansen", "nl", "de heer jansen"),
        ("dr. 王", "zh", "dr. 王"),
    ],
)
def test_abbreviations_are_written_out_where_they_are_words_of_their_own(text, language, expanded):
    assert expand_abbreviations(text, language) == expanded


@pytest.mark.parametrize(
    ("text", "language", "expanded"),
    [
        ("a&b", "en", "a and b"),
        ("5%", "tr", "5 yüzde "),
        ("€", "ko", " 유로 "),
        ("₹", "hi", " रुपये "),
        ("a*b", "en", "a*b"),
    ],
)
def test_signs_become_words_between_blanks(text, language, expanded):
    assert expand_signs(text, language) == expanded
