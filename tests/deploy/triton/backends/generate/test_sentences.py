import pytest
from generate.sentences import Part, split_long, split_sentences
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.sampled_from('aB .!?,;\n…。"”)12é-'), max_size=60) | st.text(max_size=40)


def parts(text):
    return [part.text for part in split_sentences(text)]


def joined(found):
    return "".join(part.text + part.gap for part in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("¿Qué tal? Bien… Gracias.", ["¿Qué tal?", "Bien…", "Gracias."]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("今日は。明日も。", ["今日は。", "明日も。"]),
        ("one line\nanother line", ["one line", "another line"]),
        ("Dr. Smith met J. R. Jones at 5.30 p.m. sharp.", ["Dr. Smith met J. R. Jones at 5.30 p.m. sharp."]),
        ("La Sra. García llegó. Era tarde.", ["La Sra. García llegó.", "Era tarde."]),
        ("Am 3. Oktober war frei.", ["Am 3. Oktober war frei."]),
        ("It was in 1990. Then it ended.", ["It was in 1990.", "Then it ended."]),
        ("wait... what", ["wait... what"]),
        ("Wait... What?", ["Wait...", "What?"]),
        ("No. I do not.", ["No.", "I do not."]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_a_text_is_cut_at_the_ends_of_its_sentences(text, expected):
    assert parts(text) == expected


@given(text=TEXT)
def test_cutting_loses_nothing(text):
    assert joined(split_sentences(text)) == text


@given(text=TEXT, limit=st.integers(1, 12))
def test_long_parts_become_short_ones_and_nothing_is_lost(text, limit):
    found = list(split_long(Part(text, "|"), lambda each: len(each) <= limit))
    assert joined(found) == f"{text}|"
    assert all(len(part.text) <= limit for part in found)


def long(text, limit):
    return [part.text for part in split_long(Part(text, ""), lambda each: len(each) <= limit)]


def test_a_long_sentence_is_cut_at_a_clause_else_between_words_else_anywhere():
    assert long("first part, second part and more", 20) == ["first part,", "second part and more"]
    assert long("some words without a mark", 12) == ["some words", "without a", "mark"]
    assert long("abcdefghij", 4) == ["abcd", "efgh", "ij"]
