import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.subtitles.units import MAX_LINE_WIDTH, joined, plain, units_of, width_of, widths


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("né", 2), ("né", 2), ("日本", 4), ("ｱ", 1)])
def test_wide_characters_take_two_columns_and_marks_none(text, width):
    assert width_of(text) == width


def test_line_breaks_and_control_characters_become_spaces():
    assert plain(" a\n\nb\x00c\x85d  e ") == "a b c d e"


@given(st.text())
def test_no_character_is_lost_and_none_is_added(text):
    units = units_of(plain(text), "en")
    assert joined(units) == plain(text)
    assert all(unit.text and unit.width <= MAX_LINE_WIDTH for unit in units)
    assert widths(units) == width_of(plain(text))


def test_wide_text_breaks_between_its_characters_but_never_before_its_full_stop():
    assert [unit.text for unit in units_of("你好。世界「是」", "zh")] == ["你", "好。", "世", "界", "「是」"]


def test_what_is_wider_than_a_line_is_cut():
    assert [unit.width for unit in units_of("x" * 100, "en")] == [42, 42, 16]


@pytest.mark.parametrize(
    ("better", "worse"),
    [("one.", "two,"), ("two,", "three"), ("three", "four"), ("four", "the")],
)
def test_breaks_are_best_after_punctuation_then_before_a_conjunction_and_worst_after_an_article(better, worse):
    costs = {unit.text: unit.break_cost for unit in units_of("one. two, three and four five the end", "en")}
    assert costs[better] < costs[worse]
