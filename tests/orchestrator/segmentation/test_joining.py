import pytest

from orchestrator.segmentation.joining import is_punctuated, join_texts


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["When it rains.", "", "we stay...", "at home!"], "When it rains we stay at home!"),
        (["Wait…", "...", "He said."], "Wait He said."),
        (["Really?", "Yes."], "Really? Yes."),
        (["One.", "two."], "One two."),
        (["下雨。", "了。"], "下雨 了。"),
    ],
)
def test_a_full_stop_where_the_sentence_goes_on_is_dropped(parts, whole):
    assert join_texts(parts) == whole


def test_a_capital_in_front_of_a_chunk_is_lowered_inside_a_sentence_of_a_recogniser_without_punctuation():
    assert join_texts(["Tomorrow we will fly", "To the moon"]) == "Tomorrow we will fly to the moon"
    assert join_texts(["Tomorrow", "I'll fly", "NASA says"]) == "Tomorrow I'll fly NASA says"


def test_a_capital_that_may_be_a_name_is_left():
    assert join_texts(["Yes, we fly to", "Paris"]) == "Yes, we fly to Paris"


def test_one_text_stays_as_it_was_heard():
    assert join_texts(["", "So he said...", ""]) == "So he said..."
    assert join_texts([]) == ""


def test_hyphens_and_apostrophes_are_no_punctuation():
    assert not is_punctuated("it's twenty-five past")
    assert is_punctuated("¿qué")
