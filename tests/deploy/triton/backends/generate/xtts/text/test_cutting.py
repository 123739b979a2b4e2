from generate.xtts.text.cutting import cut
from hypothesis import given
from hypothesis import strategies as st


def within(limit):
    return lambda piece: len(piece) <= limit


def test_a_text_that_fits_is_one_piece_with_its_lines_joined():
    assert cut("One line.\nAnd another.", within(40)) == ["One line. And another."]


def test_sentences_are_packed_until_the_limit():
    assert cut("One two. Three four. Five six seven.", within(22)) == ["One two. Three four.", "Five six seven."]


def test_a_long_sentence_is_cut_at_its_clauses_before_its_blanks():
    assert cut("when it rains, we all stay at home", within(20)) == ["when it rains,", "we all stay at home"]


def test_a_sentence_without_marks_is_cut_between_words():
    assert cut("one two three four", within(9)) == ["one two", "three", "four"]


def test_a_word_that_does_not_fit_is_cut_hard():
    assert cut("a" * 25, within(10)) == ["a" * 10, "a" * 10, "a" * 5]


def test_chinese_is_cut_behind_its_marks_and_joined_without_blanks():
    assert cut("你好。世界很大，我们很小。再见。", within(9)) == ["你好。世界很大，", "我们很小。再见。"]


def test_marks_alone_are_no_piece():
    assert cut("Hello there. ... ?!", within(12)) == ["Hello there."]


@given(st.text(st.sampled_from("ab1 .,!。，\n-"), max_size=120), st.integers(1, 30))
def test_no_piece_is_too_long_and_no_letter_is_lost(text, limit):
    pieces = cut(text, within(limit))
    assert all(len(piece) <= limit for piece in pieces)
    spoken = [[char for char in written if char.isalnum()] for written in ("".join(pieces), text)]
    assert spoken[0] == spoken[1]
