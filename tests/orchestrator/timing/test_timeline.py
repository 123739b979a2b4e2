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
    assert track.speaking(0.0, 20.0) == [(1.0, 2.0), (1.0, 4.0)]
    assert track.speaking(3.0, 20.0) == [(1.0, 4.0)]


def test_forgotten_sound_no_longer_counts_against_the_limit():
    track, ids = timeline(), [uuid.uuid4(), uuid.uuid4()]
    for number, segment in enumerate(ids):
        track.announce(segment, 1.0 + 5 * number, 2.0 + 5 * number)
        track.put(segment, speech(1.0))
    assert not track.wait_below(4 * RATE_HZ, 0)
    track.forget(5.0)
    assert track.wait_below(8 * RATE_HZ, 0)


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_in_which_speech_arrives_does_not_change_the_dub(data):
    """Announcements come in order; speech and settling come in any order between them."""
    count = data.draw(st.integers(1, 5))
    spans, at = [], 0.0
    for _ in range(count):
        at += data.draw(st.sampled_from([0.0, 0.2, 1.0]))
        length = data.draw(st.sampled_from([0.4, 1.0, 2.0]))
        spans.append((round(at, 3), round(at + length, 3), data.draw(st.sampled_from([0.3, 1.0, 2.2, 5.0]))))
        at += length
    order = data.draw(st.permutations(range(count)))
    ids = [uuid.UUID(int=i + 1) for i in range(count)]

    def dub(delays):
        track = timeline(at + 0.5)
        waiting = list(order) if delays else []
        for index, (start_s, end_s, natural_s) in enumerate(spans):
            track.announce(ids[index], start_s, end_s)
            track.settle(end_s)
            if not delays:
                track.put(ids[index], speech(natural_s))
            elif data.draw(st.booleans()):
                ready = [i for i in waiting if i <= index]
                for i in ready:
                    track.put(ids[i], speech(spans[i][2]))
                    waiting.remove(i)
        track.settle(at)
        track.end()
        for i in waiting:
            track.put(ids[i], speech(spans[i][2]))
        assert track.wait_final(at + 0.5, 0)
        return [track.placement(i) for i in ids], track.read(0, round((at + 0.5) * RATE_HZ))

    placements, sound = dub(delays=False)
    other_placements, other_sound = dub(delays=True)
    assert placements == other_placements
    np.testing.assert_array_equal(sound, other_sound)
    for before, after in itertools.pairwise(placements):
        assert before.end_s <= after.start_s + 1e-9
    assert placements[-1].end_s <= at + 0.5 + 1e-6
