import pytest
from apertium_stream import OutOfStep, from_stream, to_stream
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_characters="\0\u223c", exclude_categories=("Cs",)))


@given(TEXT, st.integers(0))
def test_what_is_encoded_comes_back_as_it_was(text, number):
    assert from_stream(to_stream(text, number), number) == text


@given(TEXT)
def test_no_reserved_character_stays_unescaped(text):
    body = to_stream(text, 7).decode().removeprefix("[7]").removesuffix(".[][7]\0")
    bare = iter(body)
    for char in bare:
        if char == "\\":
            next(bare)
        else:
            assert char not in "[]{}^$/@<>*\\\0"


@pytest.mark.parametrize(
    "answer", [b"", b"\0", b"[7]hola.[][7]", b"[6]hola.[][6]\0", b"[7]ho\0la.[][7]\0", b"[7]\0", b"[7]hola[7]\0"]
)
def test_an_answer_to_another_request_is_out_of_step(answer):
    with pytest.raises(OutOfStep):
        from_stream(answer, 7)
