import pytest

from orchestrator.corrections import MAX_CHARACTERS, Correction
from orchestrator.errors import CorrectionRefused


def test_a_patch_changes_what_it_names_and_leaves_the_rest():
    before = Correction(text="One shark.", skip=True)
    assert before.changed({"translation": "Un tiburón."}) == Correction(
        text="One shark.", translation="Un tiburón.", skip=True
    )


def test_null_takes_a_field_back():
    assert Correction(text="One shark.", skip=True).changed({"text": None, "skip": None}) == Correction()
    assert Correction().changed({"translation": None}) == Correction()


def test_spaces_and_line_breaks_are_one_space():
    assert Correction().changed({"text": "  a\n\t b "}).text == "a b"


def test_nothing_is_stored_of_what_is_not_corrected():
    assert Correction().stored() == {}
    assert Correction(skip=True).stored() == {"skip": True}
    assert Correction(speaker=0).stored() == {"speaker": 0}
    assert Correction(speaker=2).changed({"speaker": None}).stored() == {}
    assert Correction(text="a").changed({"skip": False}).stored() == {"text": "a"}


@pytest.mark.parametrize(
    ("patch", "field"),
    [({}, "nothing"), ({"voice": 1}, "voice"), ({"speaker": "1"}, "speaker"), ({"speaker": -1}, "speaker"),
     ({"speaker": True}, "speaker"), ({"speaker": 10**6}, "speaker"), ({"text": ""}, "text"),
     ({"translation": " \n"}, "translation"),
     ({"text": 1}, "text"), ({"skip": 1}, "skip"), ({"text": "a\x07"}, "text"), ({"text": "…"}, "text"),
     ({"text": "x" * (MAX_CHARACTERS + 1)}, "text")],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_and_named(patch, field):
    with pytest.raises(CorrectionRefused, match=field):
        Correction().changed(patch)
