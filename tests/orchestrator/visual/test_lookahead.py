import numpy as np
import pytest

from orchestrator.settings import VisualSettings
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.lookahead import LookAhead
from orchestrator.visual.planes import planes_of
from orchestrator.visual.retry import EngineRetry
from tests.fakes.engines import FakeFaces, no_face
from tests.visual_factory import make_clip_info, make_frame, source

SETTINGS = VisualSettings(detect_every_frames=5, detector_batch=3, min_face_px=8)
PLENTY = 10**9


def look_ahead(faces, max_bytes=PLENTY, settings=SETTINGS):
    return LookAhead(FaceFinder(faces, make_clip_info(), settings, EngineRetry(settings)), settings, max_bytes)


def feed(ahead, frames):
    """Push all frames; return what came out and how many waited at most."""
    out, waited = [], 0
    for n, (index, time_s, frame) in enumerate(frames, start=1):
        ahead.push(index, time_s, frame)
        out += ahead.settled()
        waited = max(waited, n - len(out))
    ahead.finish()
    out += ahead.settled()
    return out, waited


@pytest.mark.parametrize("count", [1, 2, 5, 6, 15, 16, 97])
@pytest.mark.parametrize("look", [None, no_face])
def test_every_frame_comes_out_once_and_in_order(count, look):
    out, _ = feed(look_ahead(FakeFaces(look=look)), source(count))
    assert [seen.index for seen in out] == list(range(count))
    assert all((seen.faces == ()) == (look is no_face) for seen in out)


def test_every_kth_frame_and_the_last_are_detected_in_batches():
    faces = FakeFaces()
    ahead = look_ahead(faces)
    feed(ahead, source(33))
    assert [call.shape[0] for call in faces.calls] == [3, 3, 2]  # frames 0 5 10, 15 20 25, 30 and the last, 32
    assert ahead.detected_frames == 8


@pytest.mark.parametrize(("fps", "apart"), [(2, 1), (5, 1), (10, 2), (15, 3), (25, 5), (60, 5)])
def test_one_detection_that_misses_a_face_does_not_lose_it_at_any_frame_rate(fps, apart):
    found = FakeFaces()
    calls = 0

    def look(picture):
        nonlocal calls
        calls += 1
        return no_face(picture) if calls == 4 and fps >= 5 else found._look(picture)

    ahead = look_ahead(FakeFaces(look=look))
    out, _ = feed(ahead, ((index, index / fps, frame) for index, _, frame in source(61)))
    assert {tuple(face.track for face in seen.faces) for seen in out} == {(1,)}
    assert calls == 60 // apart + 1


def test_the_last_frame_is_not_detected_twice():
    faces = FakeFaces()
    feed(look_ahead(faces), source(11))
    assert [call.shape[0] for call in faces.calls] == [3]


def test_an_empty_clip_asks_nothing():
    faces = FakeFaces()
    assert feed(look_ahead(faces), []) == ([], 0)
    assert faces.calls == []


def test_only_a_window_of_frames_waits():
    _, waited = feed(look_ahead(FakeFaces()), source(400))
    assert waited <= SETTINGS.detect_every_frames * (SETTINGS.detector_batch + 2) + 1


def moving(start, speed):
    """Frames that show a bright square moving to the right, and a detector that finds it."""

    def frames(count):
        for index in range(count):
            frame = make_frame(200, 64)
            luma = planes_of(frame).luma
            luma[:] = 20
            x = round(start + speed * index)
            luma[16:48, x : x + 32] = 220
            yield index, index / 25, frame

    def look(picture):
        columns = np.flatnonzero(picture[32, :, 1] > 120)
        return np.array([[columns[0], 16, columns[-1] + 1, 48, 0.9]], np.float32)

    return frames, FakeFaces(look=look)


@pytest.mark.parametrize("max_bytes", [PLENTY, 8 * 200 * 64 * 3 // 2])
def test_frames_between_two_detections_get_the_place_between(max_bytes):
    frames, faces = moving(10, 2)
    ahead = look_ahead(faces, max_bytes)
    out, waited = feed(ahead, frames(61))
    assert waited <= max(1, max_bytes // out[0].nbytes)
    errors = [seen.faces[0].box.x1 - (10 + 2 * seen.index) for seen in out]
    assert np.abs(errors).max() < 1
    assert sum(not seen.faces[0].box.predicted for seen in out) >= 13


def scenes(*lengths):
    """Shots of noise of their own, with a dark square in each."""
    index = 0
    for shot, length in enumerate(lengths):
        for _ in range(length):
            frame = make_frame(200, 64, seed=shot)
            planes_of(frame).luma[16:48, 20 + 40 * shot : 52 + 40 * shot] = 20
            yield index, index / 25, frame
            index += 1


def dark_square(picture):
    columns = np.flatnonzero(picture[16:48, :, 1].mean(axis=0) < 45)
    return np.array([[columns[0], 16, columns[-1] + 1, 48, 0.9]], np.float32)


@pytest.mark.parametrize("max_bytes", [PLENTY, 9 * 200 * 64 * 3 // 2])
@pytest.mark.parametrize("lengths", [(13, 22, 9), (20, 20, 20), (7, 6, 31)])
def test_a_cut_ends_the_tracks_and_no_box_is_interpolated_across_it(lengths, max_bytes):
    faces = FakeFaces(look=dark_square)
    out, _ = feed(look_ahead(faces, max_bytes), scenes(*lengths))
    shots = [shot for shot, length in enumerate(lengths, start=1) for _ in range(length)]
    assert [seen.shot for seen in out] == shots
    assert [[face.track for face in seen.faces] for seen in out] == [[shot] for shot in shots]
    assert all(abs(seen.faces[0].box.x1 - (40 * seen.shot - 20)) < 1.5 for seen in out)
    firsts = [0, lengths[0], lengths[0] + lengths[1]]
    assert all(not out[first].faces[0].box.predicted for first in firsts)
    lasts = [first - 1 for first in firsts[1:]]
    assert all(not out[last].faces[0].box.predicted for last in lasts)
