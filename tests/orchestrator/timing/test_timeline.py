import itertools
import threading
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.settings import TimingSettings
from orchestrator.timing.timeline import DubTimeline

RATE_HZ = 1000


def faster(samples, sample_rate_hz, rate):
    """A stretch that keeps only what matters here: the length."""
    return samples if rate == 1.0 else np.ones(round(len(samples) / rate), np.float32)


def speech(seconds):
    return np.ones(round(seconds * RATE_HZ), np.float32)


def timeline(duration_s=20.0):
    return DubTimeline(duration_s, RATE_HZ, TimingSettings(), faster)


def test_silence_is_final_as_far_as_the_segmenter_has_settled():
    track = timeline()
    track.settle(3.0)
    assert track.wait_final(3.0, 0)
    assert not track.wait_final(3.1, 0)


def test_a_sentence_that_waits_for_its_speech_holds_back_what_follows_it():
    track, first = timeline(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.settle(10.0)
    assert track.wait_final(1.0, 0)
    assert not track.wait_final(1.01, 0)
    track.put(first, speech(1.5))
    assert track.wait_final(10.0, 0)


def test_speech_is_heard_from_the_start_of_its_source_sentence():
    track, first = timeline(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.put(first, speech(1.5))
    track.end()
    sound = track.read(0, 20 * RATE_HZ)
    audible = np.flatnonzero(sound > 0.5) / RATE_HZ
    assert audible[0] == pytest.approx(1.0, abs=0.01)
    assert audible[-1] == pytest.approx(2.5, abs=0.01)


def test_long_speech_waits_until_the_next_sentence_is_known_and_is_then_sped_up():
    track, first, second = timeline(), uuid.uuid4(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.put(first, speech(4.0))
    assert track.placement(first) is None
    track.announce(second, 4.06, 6.0)
    assert track.placement(first).rate == pytest.approx(4.0 / 3.0)


def test_speech_too_long_for_its_room_waits_until_the_next_sentence_is_known_to_be_dubbed():
    track, first, second = timeline(), uuid.uuid4(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.put(first, speech(6.0))
    track.announce(second, 3.5, 6.0)
    assert track.placement(first) is None
    track.put(second, speech(1.0))
    assert track.placement(first).end_s > 3.5


def test_speech_too_long_for_its_room_never_talks_into_a_sentence_that_is_kept():
    track, first, second = timeline(), uuid.uuid4(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.put(first, speech(6.0))
    track.announce(second, 3.5, 6.0)
    track.keep(second, speech(2.5), 3.5)
    assert track.placement(first).end_s == pytest.approx(3.5)


def test_what_the_engine_sped_up_is_stretched_by_the_rest_only():
    track, first, second = timeline(), uuid.uuid4(), uuid.uuid4()
    track.announce(first, 1.0, 3.0)
    track.announce(second, 3.5, 6.0)
    track.put(first, speech(2.2), 1.1)
    assert track.placement(first).rate == pytest.approx(1.2)
    assert track.placement(first).stretch == pytest.approx(1.2 / 1.1)
    assert track.placement(first).natural_s == pytest.approx(2.42)


def test_a_kept_sentence_is_nobodys_neighbour():
    placements = []
    for kept in (False, True):
        track, ids = timeline(), [uuid.uuid4() for _ in range(3)]
        for number, segment in enumerate(ids):
            track.announce(segment, 1.0 + number, 2.0 + number)
        track.put(ids[2], speech(0.9))
        if kept:
            track.keep(ids[1], speech(1.0), 2.0)
        else:
            track.put(ids[1], speech(1.2))
        track.put(ids[0], speech(1.2))
        track.end()
        placements.append(track.placement(ids[2]))
    assert [round(placement.rate, 3) for placement in placements] == [1.043, 1.0]


def test_a_kept_sentence_sounds_as_in_the_source_and_moves_no_lips():
    track, first = timeline(), uuid.uuid4()
    track.announce(first, 1.0, 2.0)
    track.keep(first, speech(1.0) * 0.25, 1.0)
    track.end()
    assert track.read(1500, 1)[0] == pytest.approx(0.25)
    assert track.speaking(0.0, 20.0) == []


def test_lips_are_wanted_where_the_source_spoke_and_where_the_dub_speaks():
    track, first = timeline(), uuid.uuid4()
    track.announce(first, 1.0, 2.0)
    track.put(first, speech(3.0))
    track.end()
    assert track.speaking(0.0, 20.0) == [(1.0, 2.0), (1.0, 3.5)]
    assert track.speaking(3.0, 20.0) == [(1.0, 3.5)]


def test_forgotten_sound_no_longer_counts_against_the_limit():
    track, ids = timeline(), [uuid.uuid4(), uuid.uuid4()]
    for number, segment in enumerate(ids):
        track.announce(segment, 1.0 + 5 * number, 2.0 + 5 * number)
        track.put(segment, speech(1.0))
    assert not track.wait_below(4 * RATE_HZ, 0)
    track.forget(5.0)
    assert track.wait_below(8 * RATE_HZ, 0)


def test_a_joined_sentence_is_spoken_over_its_whole_span_and_holds_back_all_of_it():
    track, first, second, third = timeline(), *(uuid.UUID(int=n) for n in range(3))
    track.announce(first, 1.0, 3.0)
    track.announce(second, 3.6, 5.0)
    track.announce(third, 5.6, 7.0)
    track.join(first, second)
    assert track.wait_final(1.0, 0)
    assert not track.wait_final(1.1, 0)
    track.put(first, speech(3.8))
    assert track.placement(first).rate == 1.0
    assert track.speaking(0.0, 5.4)[0] == (1.0, 5.0)
    track.settle(7.0)
    assert not track.wait_final(5.7, 0)
    track.put(third, speech(1.0))
    track.end()
    assert track.wait_final(20.0, 0)


def test_a_failure_wakes_whoever_waits():
    track = timeline()
    raised = []

    def wait():
        try:
            track.wait_final(5.0, 30)
        except RuntimeError as error:
            raised.append(str(error))

    waiter = threading.Thread(target=wait)
    waiter.start()
    track.fail(RuntimeError("no speech today"))
    waiter.join(10)
    assert raised == ["no speech today"]


@st.composite
def clips(draw):
    """A clip's sentences: start, end, duration of the speech (None: kept), speed of the engine; and the clip's end."""
    spans, at = [], 0.0
    for _ in range(draw(st.integers(1, 6))):
        at += draw(st.sampled_from([0.0, 0.2, 1.0, 3.0]))
        length = draw(st.sampled_from([0.4, 1.0, 2.0]))
        spoken_s = draw(st.sampled_from([None, 0.3, 1.0, 1.15, 2.2, 5.0]))
        spans.append((round(at, 3), round(at + length, 3), spoken_s, draw(st.sampled_from([1.0, 1.2]))))
        at += length
    return spans, at + 0.5


def resolve(track, index, span):
    start_s, end_s, spoken_s, speed = span
    if spoken_s is None:
        track.keep(uuid.UUID(int=index), speech(end_s - start_s), start_s)
    else:
        track.put(uuid.UUID(int=index), speech(spoken_s), speed)


def render(track, until_s):
    """Read what is final and forget it, as the renderer does."""
    final_s = max(s for s in np.arange(0, until_s, 0.1) if s == 0 or track.wait_final(s, 0))
    sound = track.read(0, round(final_s * RATE_HZ))
    track.forget(final_s)
    return sound


def finish(track, clip, begun):
    spans, clip_end_s = clip
    track.settle(clip_end_s)
    track.end()
    assert track.wait_final(clip_end_s, 0)
    rest = track.read(len(begun), round(clip_end_s * RATE_HZ) - len(begun))
    return [track.placement(uuid.UUID(int=i)) for i in range(len(spans))], np.concatenate([begun, rest])


def dub_in_order(clip):
    track = timeline(clip[1])
    for index, span in enumerate(clip[0]):
        track.announce(uuid.UUID(int=index), *span[:2])
        track.settle(span[1])
        resolve(track, index, span)
    return finish(track, clip, np.zeros(0, np.float32))


def dub_out_of_order(clip, data):
    spans, clip_end_s = clip
    track, waiting = timeline(clip_end_s), list(data.draw(st.permutations(range(len(spans)))))
    for announced, span in enumerate(spans):
        track.announce(uuid.UUID(int=announced), *span[:2])
        track.settle(span[1])
        ready = [i for i in waiting if i <= announced] if data.draw(st.booleans()) else []
        for index in ready:
            resolve(track, index, spans[index])
        waiting = [i for i in waiting if i not in ready]
    begun = render(track, clip_end_s) if data.draw(st.booleans()) else np.zeros(0, np.float32)
    for index in waiting:
        resolve(track, index, spans[index])
    return finish(track, clip, begun)


@settings(max_examples=100, deadline=None)
@given(clips(), st.data())
def test_the_order_in_which_speech_arrives_does_not_change_the_dub(clip, data):
    """Announcements come in order; speech, kept sound, settling and forgetting come in any order between them."""
    placements, sound = dub_in_order(clip)
    other_placements, other_sound = dub_out_of_order(clip, data)
    assert placements == other_placements
    np.testing.assert_array_equal(sound, other_sound)


@settings(max_examples=100, deadline=None)
@given(clips())
def test_neither_speech_nor_kept_sound_is_ever_overlapped(clip):
    placements, _ = dub_in_order(clip)
    occupied = [
        span[:2] if placement is None else (placement.start_s, placement.end_s)
        for span, placement in zip(clip[0], placements, strict=True)
    ]
    for (_, before_end_s), (after_start_s, _) in itertools.pairwise(occupied):
        assert before_end_s <= after_start_s + 1e-9
    assert occupied[-1][1] <= clip[1] + 1e-6
