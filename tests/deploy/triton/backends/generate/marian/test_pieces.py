import pytest
from generate.marian.pieces import Piece, has_words, pieces_of
from hypothesis import given
from hypothesis import strategies as st


def pieces(text):
    return pieces_of(text, lambda part: len(part) <= 40)


def test_pictures_beside_a_sentence_are_kept_out_of_it():
    assert pieces("👋 Hello there. 😀👍🏽\nBye ❤️") == [
        Piece("👋 ", "Hello there.", " "),
        Piece("😀👍🏽", "", "\n"),
        Piece("", "Bye", " ❤️"),
    ]


@pytest.mark.parametrize("text", ["...", "😀", "12:30", "?!", " ", "3 + 4 = 7", "€ 5", "👨‍👩‍👧"])
def test_what_has_no_words_is_not_translated(text):
    assert not has_words(text)
    assert [piece.text for piece in pieces(text)] == [""]


@given(text=st.text(max_size=90))
def test_pieces_make_up_the_text(text):
    assert "".join(piece.before + piece.text + piece.after for piece in pieces(text)) == text
    assert all(piece.text == "" or has_words(piece.text) for piece in pieces(text))


def test_signs_that_belong_to_a_sentence_stay_in_it():
    assert pieces("It is 20 °C") == [Piece("", "It is 20 °C", "")]
