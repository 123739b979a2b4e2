import pytest

from orchestrator.segmentation.punctuation import by_punctuation
from orchestrator.segmentation.sentences import Gate
from orchestrator.settings import GateSettings

SETTINGS = GateSettings()


@pytest.mark.parametrize(
    "text", ["It rains.", "Does it rain?", "It rains! ", "He said: “it rains.”", "下雨了。", "क्या हुआ।"]
)
def test_a_mark_that_ends_sentences_ends_one(text):
    opinion = by_punctuation(text, SETTINGS, "not-ready", punctuates=True)
    assert (opinion.complete, opinion.by, opinion.score, opinion.fallback) == (
        True, Gate.PUNCTUATION, None, "not-ready",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["When it rains,", "When it rains...", "When it rains…", "Yes, when it rains", "¿cuándo"]
)
def test_punctuated_text_without_such_a_mark_goes_on_until_a_long_pause(text):
    opinion = by_punctuation(text, SETTINGS, punctuates=True)
    assert (opinion.complete, opinion.pause_ms) == (False, 1500)


def test_text_of_a_recogniser_without_punctuation_leaves_it_to_a_shorter_pause():
    opinion = by_punctuation("when it rains we stay at home", SETTINGS, punctuates=False)
    assert (opinion.complete, opinion.pause_ms) == (False, 700)


def test_the_shorter_pause_may_not_be_the_longer_one():
    with pytest.raises(ValueError, match="sentence_pause_s"):
        GateSettings(sentence_pause_s=2.0)
