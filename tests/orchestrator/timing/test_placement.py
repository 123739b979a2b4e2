import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import TimingSettings
from orchestrator.timing.placement import Slot, Verdict, place

SETTINGS = TimingSettings()
CLIP_END_S = 60.0


def test_speech_that_fits_starts_with_its_source_at_natural_rate():
    slot = Slot.before(2.0, (8.0, 10.0), CLIP_END_S, SETTINGS.gap_s)
    placement = place(3.0, slot, free_from_s=0.0, settings=SETTINGS)
    assert (placement.start_s, placement.end_s, placement.rate) == (2.0, 5.0, 1.0)
    assert placement.verdict is Verdict.FITS


def test_speech_may_use_the_silence_up_to_the_next_sentence():
    slot = Slot.before(2.0, (8.0, 10.0), CLIP_END_S, SETTINGS.gap_s)
    placement = place(5.9, slot, free_from_s=0.0, settings=SETTINGS)
    assert placement.rate == 1.0


@pytest.mark.parametrize(
    ("natural_s", "verdict"), [(6.5, Verdict.FITS), (8.5, Verdict.TIGHT), (12.0, Verdict.OVERFLOW)]
)
def test_the_verdict_names_how_fast_the_speech_had_to_become(natural_s, verdict):
    slot = Slot.before(2.0, (8.0, 20.0), CLIP_END_S, SETTINGS.gap_s)
    placement = place(natural_s, slot, free_from_s=0.0, settings=SETTINGS)
    assert placement.verdict is verdict
    assert 1.0 < placement.rate <= SETTINGS.max_rate


def test_speech_that_overflows_delays_the_next_sentence_and_keeps_the_highest_rate():
    slot = Slot.before(2.0, (8.0, 20.0), CLIP_END_S, SETTINGS.gap_s)
    placement = place(12.0, slot, free_from_s=0.0, settings=SETTINGS)
    assert placement.rate == SETTINGS.max_rate
    assert placement.end_s == pytest.approx(10.0)


def test_the_last_sentence_ends_with_the_clip_at_whatever_rate_that_takes():
    slot = Slot.before(58.0, None, CLIP_END_S, SETTINGS.gap_s)
    placement = place(8.0, slot, free_from_s=0.0, settings=SETTINGS)
    assert placement.end_s == pytest.approx(CLIP_END_S)
    assert placement.rate == pytest.approx(4.0)
    assert placement.verdict is Verdict.OVERFLOW


sentences = st.lists(
    st.tuples(
        st.floats(0.0, 3.0).map(lambda s: round(s, 3)),  # silence before
        st.floats(0.3, 10.0).map(lambda s: round(s, 3)),  # source duration
        st.floats(0.05, 25.0).map(lambda s: round(s, 3)),  # natural duration of the translation
    ),
    min_size=1,
    max_size=12,
)


@given(sentences)
def test_nothing_overlaps_nothing_is_cut_and_everything_ends_with_the_clip(drawn):
    spans, at = [], 0.0
    for silence_s, source_s, natural_s in drawn:
        spans.append((at + silence_s, at + silence_s + source_s, natural_s))
        at += silence_s + source_s
    clip_end_s, free_from_s = at, 0.0
    for index, (start_s, _, natural_s) in enumerate(spans):
        following = spans[index + 1][:2] if index + 1 < len(spans) else None
        slot = Slot.before(start_s, following, clip_end_s, SETTINGS.gap_s)
        placement = place(natural_s, slot, free_from_s=free_from_s, settings=SETTINGS)
        assert placement.start_s >= max(start_s, free_from_s) - 1e-9
        assert placement.end_s <= clip_end_s + 1e-6
        assert placement.rate >= 1.0
        assert (placement.end_s - placement.start_s) * placement.rate == pytest.approx(natural_s)  # nothing is cut
        free_from_s = placement.end_s
