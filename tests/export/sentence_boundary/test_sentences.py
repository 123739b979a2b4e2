import pytest

from export.sentence_boundary.sentences import MAX_WORDS, is_sound, runs, split


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("He came. She left! Why?", ["He came.", "She left!", "Why?"]),
        ("Mr. Smith met Dr. Jones at 3 p.m. He smiled.", ["Mr. Smith met Dr. Jones at 3 p.m. He smiled."]),
        ("It costs 3.50 dollars. Release 2.4. It works.", ["It costs 3.50 dollars.", "Release 2.4.", "It works."]),
        ("¿Vienes? ¡Claro que sí! Vamos.", ["¿Vienes?", "¡Claro que sí!", "Vamos."]),
        ("“Who is there?” he asked. “It is me.”", ["“Who is there?” he asked.", "“It is me.”"]),
        ("Well... we could. No.", ["Well... we could.", "No."]),
        ("J. R. Hartley wrote it.", ["J. R. Hartley wrote it."]),
        ("No end here", ["No end here"]),
    ],
)
def test_a_paragraph_is_cut_where_sentences_end_and_nowhere_else(paragraph, sentences):
    assert split(paragraph) == sentences


@pytest.mark.parametrize("sentence", ["Yes.", "¿Qué?", "It was late (very late).", "“Come here!”", "I paid him $5."])
def test_a_plain_sentence_is_sound(sentence):
    assert is_sound(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "no capital at the start.",
        "No mark at the end",
        "A path /usr/share/doc is here.",
        "See http://example.org for more.",
        "To change it, see .",
        "WHO SHOUTS ALL THE TIME?",
        "An open bracket (is not closed.",
        "Name_with_underscore is code.",
        "One " + "and two " * MAX_WORDS + "three.",
        "...",
    ],
)
def test_what_is_no_plain_sentence_is_not_sound(sentence):
    assert not is_sound(sentence)


def test_a_doubtful_sentence_ends_a_run():
    found = runs(["He came. He saw. Read /etc/x for it. He won. He left.", "Another day."])
    assert found == [("He came.", "He saw."), ("He won.", "He left."), ("Another day.",)]
