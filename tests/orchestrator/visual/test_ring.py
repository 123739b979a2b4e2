import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import SessionCancelled
from orchestrator.visual.ring import FrameRing
from tests.visual_factory import make_frame, tracked

SMALL = [make_frame(2 * (1 + n), 2) for n in range(6)]
"""Frames of a few sizes in bytes."""
WAIT_S = 10


def run(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def fill(ring, frames):
    for frame in frames:
        ring.put(frame)
    ring.close()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from(SMALL), max_size=30),
    st.integers(1, 6),
    st.integers(1, 1000),
    st.lists(st.booleans(), max_size=60),
)
def test_frames_come_out_as_they_went_in_and_never_over_the_bounds(pictures, max_frames, max_bytes, schedule):
    ring = FrameRing(max_frames, max_bytes)
    frames = [tracked(index, picture) for index, picture in enumerate(pictures)]
    # The schedule says when the reader lets the writer run ahead.
    permits = threading.Semaphore(0)

    def write():
        for frame, hold in zip(frames, schedule + [False] * len(frames), strict=False):
            if hold:
                permits.acquire(timeout=0.001)
            ring.put(frame)
        ring.close()

    writer = run(write)
    seen = []
    for frame in ring:
        seen.append(frame)
        permits.release()
    writer.join(WAIT_S)
    assert seen == frames
    stats = ring.stats
    assert stats.high_water_frames <= max_frames
    assert stats.high_water_bytes <= max(max_bytes, max((frame.nbytes for frame in frames), default=0))


def test_a_full_ring_makes_the_writer_wait_and_drops_nothing():
    ring = FrameRing(2, 10**9)
    frames = [tracked(n) for n in range(5)]
    third_is_in = threading.Event()

    def write():
        for n, frame in enumerate(frames):
            ring.put(frame)
            if n == 2:
                third_is_in.set()
        ring.close()

    writer = run(write)
    assert not third_is_in.wait(0.05)
    assert list(ring) == frames
    writer.join(WAIT_S)
    assert third_is_in.is_set()
    assert ring.stats.high_water_frames == 2
    assert ring.stats.put_wait_s >= 0.05


def test_a_frame_larger_than_the_ring_is_still_admitted_alone():
    ring = FrameRing(10, 1)
    frames = [tracked(n) for n in range(3)]
    writer = run(lambda: fill(ring, frames))
    assert list(ring) == frames
    writer.join(WAIT_S)
    assert ring.stats.high_water_frames == 1


def test_a_failure_reaches_a_reader_that_waits():
    ring = FrameRing(2, 10**9)
    failure = RuntimeError("the decoder broke")
    writer = run(lambda: ring.fail(failure))
    with pytest.raises(RuntimeError, match="the decoder broke"):
        list(ring)
    writer.join(WAIT_S)


@pytest.mark.parametrize("stop", [FrameRing.cancel, lambda ring: ring.fail(RuntimeError("stop"))])
def test_stopping_unblocks_a_writer_that_waits(stop):
    ring = FrameRing(1, 10**9)
    ring.put(tracked(0))
    ended = []

    def write():
        try:
            ring.put(tracked(1))
        except (SessionCancelled, RuntimeError) as error:
            ended.append(error)

    writer = run(write)
    stop(ring)
    writer.join(WAIT_S)
    assert len(ended) == 1


def test_cancelling_unblocks_a_reader_that_waits():
    ring = FrameRing(1, 10**9)
    canceller = run(ring.cancel)
    with pytest.raises(SessionCancelled):
        ring.get()
    canceller.join(WAIT_S)


def test_the_first_error_stays():
    ring = FrameRing(1, 10**9)
    ring.fail(RuntimeError("first"))
    ring.cancel()
    with pytest.raises(RuntimeError, match="first"):
        ring.get()


def test_what_was_put_before_the_end_can_be_read_after_it():
    ring = FrameRing(3, 10**9)
    frame = tracked(0)
    fill(ring, [frame])
    assert ring.get() is frame
    assert ring.get() is None
    with pytest.raises(ValueError, match="closed"):
        ring.put(tracked(1))
