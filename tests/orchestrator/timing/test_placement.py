import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.settings import TimingSettings
from orchestrator.timing.placement import Placement, Slot, Verdict, place

SETTINGS = TimingSettings()
CLIP_END_S = 60.0
NEXT = (8.0, 20.0)
"""The sentence after one at 2..5."""


def slot(following=NEXT, can_wait=True):
    return Slot.before((2.0, 5.0), following, CLIP_END_S, SETTINGS.gap_s, can_wait=can_wait)


def neighbour(rate, end_s=1.9):
    return Placement(0.0, end_s, rate, 1.0, Verdict.FITS)


def test_speech_that_is_shorter_than_its_source_keeps_its_natural_rate():
    placement = place(2.5, slot(), settings=SETTINGS)
    assert (placement.start_s, placement.end_s, placement.rate) == (2.0, 4.5, 1.0)
    assert (placement.borrowed_s, placement.verdict) == (0.0, Verdict.FITS)


def test_a_little_speed_comes_before_the_silence():
    placement = place(3.3, slot(), settings=SETTINGS)
    assert placement.rate == pytest.approx(1.1)
    assert placement.end_s == pytest.approx(5.0)
    assert placement.borrowed_s == pytest.approx(0.0)


def test_the_silence_after_it_comes_before_more_speed():
    placement = place(6.0, slot(), settings=SETTINGS)
    assert placement.rate == pytest.approx(1.2)
    assert placement.end_s == pytest.approx(7.0)
    assert placement.borrowed_s == pytest.approx(2.0)
    assert placement.verdict is Verdict.FITS


def test_more_speed_comes_when_the_silence_is_used_up():
    placement = place(8.5, slot(), settings=SETTINGS)
    assert 1.2 < placement.rate < 1.5
    assert placement.end_s == pytest.approx(8.0 - SETTINGS.gap_s)
    assert placement.verdict is Verdict.TIGHT


def test_speech_that_overflows_delays_the_next_sentence_at_the_highest_rate():
    placement = place(12.0, slot(), settings=SETTINGS)
    assert placement.rate == SETTINGS.max_rate
    assert placement.end_s == pytest.approx(10.0)
    assert placement.borrowed_s == pytest.approx(3.0 - SETTINGS.gap_s)
    assert placement.verdict is Verdict.OVERFLOW


def test_a_next_sentence_that_keeps_its_own_sound_is_never_spoken_into():
    placement = place(12.0, slot(can_wait=False), settings=SETTINGS)
    assert placement.end_s == pytest.approx(8.0)
    assert placement.verdict is Verdict.OVERFLOW


def test_the_last_sentence_ends_with_the_clip_at_whatever_rate_that_takes():
    last = Slot.before((58.0, 59.0), None, CLIP_END_S, SETTINGS.gap_s)
    placement = place(8.0, last, settings=SETTINGS)
    assert placement.end_s == pytest.approx(CLIP_END_S)
    assert placement.rate == pytest.approx(4.0)
    assert placement.verdict is Verdict.OVERFLOW


def test_what_the_engine_did_counts_and_only_the_rest_is_stretched():
    placement = place(3.0, slot(), settings=SETTINGS, speed=1.1)
    assert placement.natural_s == pytest.approx(3.3)
    assert (placement.rate, placement.stretch) == (pytest.approx(1.1), pytest.approx(1.0))
    longer = place(6.0, slot(), settings=SETTINGS, speed=1.1)
    assert longer.rate == pytest.approx(1.2)
    assert longer.stretch == pytest.approx(1.2 / 1.1)


def test_speech_that_came_faster_than_needed_is_left_so():
    placement = place(1.0, slot(), settings=SETTINGS, speed=1.2)
    assert (placement.rate, placement.stretch) == (1.2, 1.0)


def test_after_a_fast_neighbour_the_rate_falls_step_by_step():
    placement = place(2.5, slot(), settings=SETTINGS, before=neighbour(1.2))
    assert placement.rate == pytest.approx(1.2 / SETTINGS.max_rate_step)


def test_a_neighbour_never_makes_a_sentence_audibly_fast():
    placement = place(2.5, slot(), settings=SETTINGS, before=neighbour(3.0))
    assert placement.rate == SETTINGS.preferred_max_rate


def test_after_a_calm_neighbour_silence_is_used_before_the_rate_jumps():
    placement = place(3.6, slot(), settings=SETTINGS, before=neighbour(1.0))
    assert placement.rate == pytest.approx(SETTINGS.max_rate_step)
    assert placement.borrowed_s > 0


def test_speech_that_came_too_fast_for_its_neighbour_is_slowed_down():
    placement = place(2.5, slot(), settings=SETTINGS, speed=1.2, before=neighbour(1.0))
    assert placement.rate == pytest.approx(SETTINGS.max_rate_step)
    assert placement.stretch == pytest.approx(SETTINGS.max_rate_step / 1.2)


def test_after_a_long_silence_there_is_no_neighbour():
    alone = place(2.5, slot(), settings=SETTINGS)
    assert place(2.5, slot(), settings=SETTINGS, before=neighbour(1.2, end_s=-0.1)) == alone


def test_rates_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="preferred_max_rate"):
        TimingSettings(preferred_max_rate=1.6, max_rate=1.5)


# laws, on whole dubs

ms = st.integers(0, 3000).map(lambda value: value / 1000)
dubs = st.lists(
    st.tuples(
        ms,  # silence before
        st.integers(300, 10_000).map(lambda value: value / 1000),  # source duration
        st.integers(50, 25_000).map(lambda value: value / 1000),  # spoken duration of the translation
        st.sampled_from([1.0, 1.0, 1.05, 1.2]),  # speed of the engine
    ),
    min_size=1,
    max_size=12,
)


def plan(drawn):
    """Place a whole dub; returns [(slot, placement)] and the clip's end."""
    spans, at = [], 0.0
    for silence_s, source_s, _, _ in drawn:
        spans.append((at + silence_s, at + silence_s + source_s))
        at = spans[-1][1]
    placed, before = [], None
    for index, (span, (_, _, spoken_s, speed)) in enumerate(zip(spans, drawn, strict=True)):
        following = spans[index + 1] if index + 1 < len(spans) else None
        here = Slot.before(span, following, at, SETTINGS.gap_s)
        free_from_s = before.end_s if before else 0.0
        before = place(spoken_s, here, settings=SETTINGS, speed=speed, free_from_s=free_from_s, before=before)
        placed.append((here, before))
    return placed, at


@given(dubs)
def test_no_two_sentences_overlap_and_none_leaves_the_clip(drawn):
    placed, clip_end_s = plan(drawn)
    for (_, earlier), (_, later) in itertools.pairwise(placed):
        assert earlier.end_s <= later.start_s + 1e-9
    assert placed[-1][1].end_s <= clip_end_s + 1e-6


@given(dubs)
def test_no_speech_is_cut(drawn):
    for (_, placement), (_, _, spoken_s, speed) in zip(plan(drawn)[0], drawn, strict=True):
        assert (placement.end_s - placement.start_s) * placement.rate == pytest.approx(spoken_s * speed)
        assert (placement.end_s - placement.start_s) * placement.stretch == pytest.approx(spoken_s)


@given(dubs)
def test_the_rate_keeps_its_bounds(drawn):
    for here, placement in plan(drawn)[0]:
        assert placement.rate >= 1.0
        match placement.verdict:
            case Verdict.FITS:
                assert placement.rate <= SETTINGS.preferred_max_rate + 1e-9
            case Verdict.TIGHT:
                assert SETTINGS.preferred_max_rate < placement.rate <= SETTINGS.max_rate + 1e-9
            case Verdict.OVERFLOW if placement.rate > SETTINGS.max_rate + 1e-9:
                assert placement.end_s == pytest.approx(here.hard_until_s)  # only where nothing else is left


@given(dubs)
def test_a_sentence_starts_with_its_source_unless_the_one_before_overflows(drawn):
    before = None
    for here, placement in plan(drawn)[0]:
        assert placement.onset_error_s == pytest.approx(placement.start_s - here.start_s)
        if before is None or before.verdict is not Verdict.OVERFLOW:
            assert abs(placement.onset_error_s) <= 0.05
        before = placement


@given(dubs)
def test_only_overflow_leaves_its_room(drawn):
    for here, placement in plan(drawn)[0]:
        if placement.verdict is not Verdict.OVERFLOW:
            assert placement.end_s <= here.room_until_s + 1e-9
        assert 0 <= placement.borrowed_s <= here.room_until_s - here.end_s + 1e-9


@given(dubs)
def test_silence_is_borrowed_only_when_a_little_speed_or_a_neighbour_leaves_no_other_way(drawn):
    before = None
    for _, placement in plan(drawn)[0]:
        if placement.borrowed_s > 1e-9 and placement.rate < SETTINGS.preferred_max_rate - 1e-9:
            assert before is not None
            assert placement.rate == pytest.approx(before.rate * SETTINGS.max_rate_step)
        before = placement


@given(dubs)
def test_neighbours_differ_by_one_step_unless_the_speech_would_not_fit_or_would_be_made_fast(drawn):
    for (_, earlier), (here, later) in itertools.pairwise(plan(drawn)[0]):
        if later.start_s - earlier.end_s >= SETTINGS.neighbour_s:
            continue
        if later.rate > earlier.rate * SETTINGS.max_rate_step + 1e-9:
            calmer_end_s = later.start_s + later.natural_s / (earlier.rate * SETTINGS.max_rate_step)
            assert calmer_end_s > here.room_until_s - 1e-9
        if later.rate < earlier.rate / SETTINGS.max_rate_step - 1e-9:
            assert later.rate >= SETTINGS.preferred_max_rate - 1e-9


@given(dubs, st.integers(0, 11), st.floats(1.0, 3.0))
def test_longer_speech_is_never_slower(drawn, index, factor):
    """All else equal: the sentence's slot, its neighbour and the engine's speed."""
    assume(index < len(drawn))
    placed, _ = plan(drawn)
    here, placement = placed[index]
    before = placed[index - 1][1] if index else None
    longer = place(
        drawn[index][2] * factor,
        here,
        settings=SETTINGS,
        speed=drawn[index][3],
        free_from_s=before.end_s if before else 0.0,
        before=before,
    )
    assert longer.rate >= placement.rate - 1e-9
    assert longer.end_s >= placement.end_s - 1e-9
    assert list(Verdict).index(longer.verdict) >= list(Verdict).index(placement.verdict)


@given(dubs)
def test_the_plan_is_a_function_of_what_it_is_given(drawn):
    assert plan(drawn) == plan(drawn)
    assert all(math.isfinite(placement.rate) for _, placement in plan(drawn)[0])


@given(dubs, dubs)
def test_what_comes_later_changes_nothing_but_the_sentence_before_it(drawn, later):
    """So speech can be placed while the clip is still being heard."""
    both = plan([*drawn, *later])[0]
    assert [placement for _, placement in both[: len(drawn) - 1]] == [p for _, p in plan(drawn)[0][:-1]]
