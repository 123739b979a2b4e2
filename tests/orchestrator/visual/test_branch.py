import threading

import numpy as np
import pytest

from client.errors import EngineRefused, EngineUnavailable
from orchestrator.errors import FaceNotFound, SessionCancelled, TruncatedClip
from orchestrator.face_choice import FaceChoice
from orchestrator.settings import Settings, SyncSettings, VisualSettings
from orchestrator.visual.branch import Casts, VisualBranch
from tests.fakes.engines import FakeFaces, no_face
from tests.visual_factory import make_clip_info, source

FRAME_BYTES = 64 * 48 * 3 // 2
WAIT_S = 10


def settings(ring_frames=300, ring_bytes=2**24, **visual):
    return Settings(
        sync=SyncSettings(ring_frames=ring_frames, ring_bytes=ring_bytes),
        visual=VisualSettings(min_face_px=8, engine_retry_delay_s=0.001, **visual),
    )


def branch(frames, faces=None, **more):
    return VisualBranch(frames, make_clip_info(), faces or FakeFaces(), settings(**more), traceparent="00-parent-01")


class Counted:
    """A reader that knows how far it was read and whether it was closed."""

    def __init__(self, count, fails_with=None):
        self.read = 0
        self.closed = threading.Event()
        self._frames = source(count)
        self._fails_with = fails_with

    def __iter__(self):
        return self

    def __next__(self):
        try:
            frame = next(self._frames)
        except StopIteration:
            if self._fails_with is not None:
                raise self._fails_with from None
            raise
        self.read += 1
        return frame

    def close(self):
        self.closed.set()


def test_frames_come_out_in_order_with_the_face_of_each():
    faces = FakeFaces()
    reader = Counted(60)
    one = branch(reader, faces)
    with one:
        frames = list(one.frames())
        assert one.join(WAIT_S)
    assert [tracked.index for tracked in frames] == list(range(60))
    assert [tracked.time_s for tracked in frames] == [n / 25 for n in range(60)]
    for tracked in frames:
        assert tracked.face.x1 == pytest.approx(32 - 12, abs=0.5)
        assert tracked.face.width == pytest.approx(24, abs=0.5)
    assert reader.closed.is_set()
    assert all(call.traceparent == "00-parent-01" for call in faces.calls)


def test_the_figures_tell_what_was_done():
    one = branch(source(60))
    assert one.stats.started_at_ms == 0
    with one:
        list(one.frames())
        one.join(WAIT_S)
    stats = one.stats
    assert (stats.frames, stats.frames_with_face, stats.tracks) == (60, 60, 1)
    assert stats.detected_frames == 13  # every fifth and the last
    assert stats.decode_s > 0
    assert 0 < stats.started_at_ms <= stats.finished_at_ms
    assert 1 <= stats.ring_frames_max <= 60


def test_without_a_face_every_frame_passes_through():
    one = branch(source(30), FakeFaces(look=no_face))
    with one:
        assert all(tracked.face is None for tracked in one.frames())
    assert one.stats.frames_with_face == 0
    assert one.stats.tracks == 0


@pytest.mark.parametrize("ring_frames", [2, 20])
def test_a_slow_reader_holds_the_decoder_back(ring_frames):
    reader = Counted(400)
    bound = ring_frames + 5 * (4 + 2) + 2
    with branch(reader, ring_frames=ring_frames) as one:
        for n, _ in enumerate(one.frames(), start=1):
            assert reader.read <= n + bound
    assert one.stats.frames == 400
    assert one.stats.ring_frames_max <= ring_frames


def test_the_bound_in_bytes_counts_for_waiting_frames_too():
    ring_bytes = 2**20
    reader = Counted(1200)
    with branch(reader, ring_bytes=ring_bytes, ring_frames=10_000, detect_every_frames=100) as one:
        for n, _ in enumerate(one.frames(), start=1):
            assert (reader.read - n) * FRAME_BYTES <= ring_bytes + 3 * FRAME_BYTES
    assert one.stats.frames == 1200


def test_a_reader_that_fails_fails_the_branch():
    reader = Counted(12, TruncatedClip("the file ends in the middle of a frame"))
    with branch(reader) as one, pytest.raises(TruncatedClip):
        list(one.frames())
    assert reader.closed.is_set()


def test_a_detector_that_is_away_for_a_moment_is_not_noticed():
    with branch(source(30), FakeFaces(failures=[EngineUnavailable("faces", "restarting")] * 3)) as one:
        assert all(tracked.face is not None for tracked in one.frames())


@pytest.mark.parametrize(
    ("failures", "error"),
    [([EngineUnavailable("faces", "gone")] * 50, EngineUnavailable), ([EngineRefused("faces", "no")], EngineRefused)],
)
def test_a_detector_that_stays_away_fails_the_branch(failures, error):
    with branch(source(30), FakeFaces(failures=failures)) as one, pytest.raises(error):
        list(one.frames())


def test_whoever_runs_the_branch_can_fail_it_for_a_reason_of_its_own():
    one = branch(source(1000), ring_frames=3)
    one.start()
    one.fail(RuntimeError("the muxer broke"))
    with pytest.raises(RuntimeError, match="the muxer broke"):
        list(one.frames())
    assert one.join(WAIT_S)


def test_cancelling_stops_a_branch_that_waits_for_its_reader():
    reader = Counted(10_000)
    one = branch(reader, ring_frames=3)
    one.start()
    frames = one.frames()
    next(frames)
    one.cancel()
    assert one.join(WAIT_S)
    with pytest.raises(SessionCancelled):
        list(frames)
    assert reader.closed.is_set()
    assert reader.read < 10_000


def test_cancelling_ends_the_tries_of_a_detector_that_is_away():
    faces = FakeFaces(failures=[EngineUnavailable("faces", "away")] * 50)
    patient = Settings(visual=VisualSettings(engine_attempts=20, engine_retry_delay_s=60))
    one = VisualBranch(source(30), make_clip_info(), faces, patient)
    one.start()
    one.cancel()
    assert one.join(WAIT_S)


def test_a_branch_that_never_started_can_be_cancelled():
    one = branch(source(3))
    one.cancel()
    assert one.join()


def two_faces(frame):
    return np.array([[4, 8, 20, 28, 0.9], [36, 8, 60, 32, 0.9]], np.float32)


def choosing(text, count=40):
    casts = Casts(choice=FaceChoice.parse(text), again=lambda: source(count))
    return VisualBranch(source(count), make_clip_info(), FakeFaces(look=two_faces), settings(), casts=casts)


@pytest.mark.parametrize(
    ("text", "left"), [("1", 4), ("2", 36), ("5,9,19,27", 4), ("30,8,60,32", 36), ("30,8,60,32@0.9", 36)]
)
def test_the_face_that_the_request_chooses_is_the_one(text, left):
    with choosing(text) as one:
        frames = list(one.frames())
    assert len(frames) == 40
    assert all(abs(tracked.face.x1 - left) < 1 for tracked in frames)
    assert {choice.chosen_by for choice in one.chronicle.choices} == {"request"}


@pytest.mark.parametrize("text", ["3", "21,30,34,46"])
def test_a_face_that_never_comes_fails_the_branch_and_names_those_there_are(text):
    with choosing(text) as one, pytest.raises(FaceNotFound, match=r"1 \(0\.0\.\.1\.6 s\), 2 \("):
        list(one.frames())


def test_a_place_without_a_face_at_its_time_fails_before_any_frame_is_handed_on():
    with choosing("21,30,34,46@1") as one, pytest.raises(FaceNotFound, match="2 at 36,8,60,32"):
        list(one.frames())
    assert one.stats.frames == 0


def test_the_sound_is_closed_when_the_branch_is_cancelled():
    closed = threading.Event()

    def sound():
        try:
            while True:
                yield np.zeros(8000, np.float32)
        finally:
            closed.set()

    casts = Casts(sound=sound)
    one = VisualBranch(source(10_000), make_clip_info(), FakeFaces(look=two_faces), settings(3), casts=casts)
    one.start()
    frames = one.frames()
    next(frames)
    one.cancel()
    assert one.join(WAIT_S)
    assert closed.is_set()


def test_the_sound_is_not_opened_when_the_settings_want_the_largest_face():
    casts = Casts(sound=lambda: pytest.fail("opened"))
    plain = settings(speaker_look_ahead_s=0)
    with VisualBranch(source(40), make_clip_info(), FakeFaces(look=two_faces), plain, casts=casts) as one:
        assert all(abs(tracked.face.x1 - 36) < 1 for tracked in one.frames())
    assert {choice.chosen_by for choice in one.chronicle.choices} == {"largest"}
