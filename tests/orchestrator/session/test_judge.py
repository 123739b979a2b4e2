import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import ContractViolation, EngineNotLoaded, EngineTimeout, EngineUnavailable
from orchestrator.segmentation.sentences import Gate
from orchestrator.session.judge import LANGUAGE_NOT_TRAINED, NO_ENGINE, TextJudge, pause_to_end_s
from orchestrator.settings import GateSettings
from orchestrator.tracing import new_traceparent
from tests.fakes.engines import FakeBoundary


def judge(engine, **settings):
    return TextJudge(engine, GateSettings(**settings), new_traceparent())


@pytest.mark.parametrize(("score", "complete"), [(0.85, True), (0.8499, False)])
def test_the_score_decides_at_the_threshold(score, complete):
    asked = judge(FakeBoundary({"it rains": score}))
    opinion = asked("it rains", "en")
    assert (opinion.complete, opinion.by, opinion.score, opinion.fallback) == (complete, Gate.MODEL, score, "")
    assert len(asked.score_ms) == 1
    assert not asked.fallbacks


@pytest.mark.parametrize(
    ("score", "pause_ms"), [(0.0, 2000), (0.1, 1760), (0.25, 1400), (0.5, 800), (0.84, 800), (0.85, 0)]
)
def test_the_less_likely_a_text_is_whole_the_longer_a_pause_must_end_it(score, pause_ms):
    asked = judge(FakeBoundary({"when": score}), sentence_pause_s=0.8, max_pause_s=2.0, likely_from=0.5)
    assert asked("when", "en").pause_ms == pause_ms


def test_with_punctuation_the_score_alone_tells_until_the_longest_pause():
    asked = judge(FakeBoundary({"When, then": 0.84, "when": 0.84}), sentence_pause_s=0.8, max_pause_s=2.0)
    assert asked("when", "en").pause_ms == 800
    assert asked("When, then", "en").pause_ms == 2000
    assert asked("when", "en").pause_ms == 2000, "a recogniser that punctuates heard no full stop here"


def test_without_an_engine_a_recogniser_that_punctuates_is_taken_at_its_word():
    asked = judge(None, sentence_pause_s=0.8, max_pause_s=2.0)
    assert [asked(text, "en").pause_ms for text in ("when", "When, then", "when")] == [800, 2000, 2000]


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_the_pause_that_ends_a_text_never_grows_with_its_score_and_keeps_its_bounds(one, other, likely_from):
    settings = GateSettings(likely_from=likely_from)
    low, high = sorted((one, other))
    shorter, longer = pause_to_end_s(high, settings), pause_to_end_s(low, settings)
    assert settings.sentence_pause_s <= shorter <= longer <= settings.max_pause_s


def test_punctuation_in_the_text_does_not_overrule_the_engine():
    assert not judge(FakeBoundary({"When.": 0.1}))("When.", "en").complete


@pytest.mark.parametrize("language", ["de", ""])
def test_a_language_that_the_engine_was_not_trained_for_is_left_to_punctuation(language):
    engine = FakeBoundary()
    asked = judge(engine)
    opinion = asked("Es regnet.", language)
    assert (opinion.complete, opinion.by, opinion.fallback) == (True, Gate.PUNCTUATION, LANGUAGE_NOT_TRAINED)
    assert engine.calls == []
    assert asked.fallbacks == {LANGUAGE_NOT_TRAINED: 1}


def test_without_an_engine_punctuation_decides_and_says_so():
    opinion = judge(None)("It rains.", "en")
    assert (opinion.by, opinion.score, opinion.fallback) == (Gate.PUNCTUATION, None, NO_ENGINE)


@pytest.mark.parametrize("failure", [EngineUnavailable, EngineTimeout, EngineNotLoaded, ContractViolation])
def test_an_engine_that_fails_is_replaced_for_that_text_only_and_the_reason_is_kept(failure):
    asked = judge(FakeBoundary(failures=[failure("sentence_boundary", "away")]))
    first, second = asked("It rains.", "en"), asked("It rains.", "en")
    assert (first.by, first.fallback) == (Gate.PUNCTUATION, failure.code)
    assert (second.by, second.fallback) == (Gate.MODEL, "")
    assert asked.fallbacks == {failure.code: 1}


def test_a_gate_that_is_switched_off_asks_nobody():
    engine = FakeBoundary()
    asked = judge(engine, enabled=False)
    asked.prepare()
    opinion = asked("when", "en")
    assert (opinion.complete, opinion.by) == (True, Gate.OFF)
    assert engine.calls == []


def test_an_engine_that_is_not_there_yet_does_not_stop_the_start():
    class Away(FakeBoundary):
        def languages(self):
            raise EngineNotLoaded("sentence_boundary", "not loaded")

    asked = judge(Away())
    asked.prepare()
    assert asked("It rains.", "en").fallback == "engine-not-loaded"


def test_a_fault_of_ours_is_not_taken_for_an_engine_that_is_away():
    with pytest.raises(ZeroDivisionError):
        judge(FakeBoundary(failures=[ZeroDivisionError()]))("It rains.", "en")
