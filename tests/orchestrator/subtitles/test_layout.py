from hypothesis import given
from hypothesis import strategies as st

from orchestrator.subtitles.layout import MAX_LINES, cue_texts
from orchestrator.subtitles.units import MAX_LINE_WIDTH, plain, width_of

words = st.text(st.sampled_from("abcdeé,.?"), min_size=1, max_size=14)
texts = st.lists(words, max_size=60).map(" ".join)


@given(st.one_of(texts, st.text(max_size=300).map(plain)), st.integers(1, 5))
def test_no_cue_has_more_than_two_lines_nor_a_line_more_than_42_columns(text, at_least):
    for cue in cue_texts(text, "en", at_least):
        lines = cue.split("\n")
        assert 1 <= len(lines) <= MAX_LINES
        assert all(line and width_of(line) <= MAX_LINE_WIDTH for line in lines)


def test_marks_without_a_width_are_a_text_like_any_other():
    assert cue_texts("\xad", "en") == ["\xad"]


@given(texts, st.integers(1, 5))
def test_every_word_stays_in_its_place(text, at_least):
    cues = cue_texts(text, "en", at_least)
    assert " ".join(cues).replace("\n", " ").split() == text.split()
    assert len(cues) >= min(at_least, len(text.split()))


def test_a_short_text_is_one_line():
    assert cue_texts("Hola a todos.", "es") == ["Hola a todos."]


def test_two_lines_break_after_punctuation():
    assert cue_texts("We had no idea how hard it was, but we went there anyway.", "en") == [
        "We had no idea how hard it was,\nbut we went there anyway."
    ]


def test_two_lines_break_before_a_conjunction_and_are_about_even():
    assert cue_texts("Nadie me dijo que la reunión se había cambiado al jueves", "es") == [
        "Nadie me dijo que la reunión\nse había cambiado al jueves"
    ]


def test_an_article_stays_with_its_noun():
    (cue,) = cue_texts("She put all of her things into the big old wooden cupboard there", "en")
    assert cue.split("\n")[0].split()[-1] not in ("the", "of", "her", "into")


def test_a_long_sentence_becomes_cues_of_about_one_length_cut_where_it_pauses():
    text = (
        "When the people who lived near the river heard the news, they packed everything they had into three carts, "
        "and they left the village before the sun came up over the hills."
    )
    cues = cue_texts(text, "en")
    assert [cue.replace("\n", " ") for cue in cues] == [
        "When the people who lived near the river heard the news,",
        "they packed everything they had into three carts,",
        "and they left the village before the sun came up over the hills.",
    ]
