from dataclasses import replace

import numpy as np
import pytest

from client.errors import EngineRefused, EngineTimeout
from orchestrator.settings import Settings, VisualSettings
from orchestrator.visual.lipsync import LipRenderer
from orchestrator.visual.planes import planes_of
from tests.fakes.engines import FakeLips
from tests.visual_factory import face_at, make_frame, make_profile, tracked

FACE = face_at(40, 30, 36)
MEL = np.zeros((80, 16), np.float32)


def settings(lips_batch=8):
    return Settings(visual=VisualSettings(lips_batch=lips_batch, engine_retry_delay_s=0.001))


def with_faces(count):
    return [tracked(n, make_frame(80, 60, seed=n), FACE) for n in range(count)]


def inverting(faces, mels):
    return 255 - faces


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(planes_of(first), planes_of(second), strict=True))


def test_frames_without_face_mel_or_strength_are_the_very_same_objects():
    frames = [tracked(0, face=None), *with_faces(3)]
    lips = FakeLips(make_profile(), paint=inverting)
    pictures = LipRenderer(lips, settings()).render(frames, [MEL, None, MEL, MEL], strengths=[1, 1, 0, 1])
    assert [picture is one.frame for picture, one in zip(pictures, frames, strict=True)] == [True, True, True, False]
    assert sum(len(call.faces) for call in lips.calls) == 1


def test_nothing_to_do_asks_nothing():
    lips = FakeLips(make_profile())
    assert LipRenderer(lips, settings()).render([], []) == []
    assert LipRenderer(lips, settings()).render([tracked()], [None]) != []
    assert lips.calls == []


@pytest.mark.parametrize(
    ("lips_batch", "engine_batch", "expected"), [(8, 3, [3, 3, 1]), (2, 8, [2, 2, 2, 1]), (8, 0, [1] * 7)]
)
def test_crops_go_in_batches_that_the_engine_takes(lips_batch, engine_batch, expected):
    lips = FakeLips(make_profile(batch=engine_batch))
    LipRenderer(lips, settings(lips_batch)).render(with_faces(7), [MEL] * 7, traceparent="00-parent-01")
    assert [len(call.faces) for call in lips.calls] == expected
    assert {call.traceparent for call in lips.calls} == {"00-parent-01"}


def test_every_frame_gets_the_mouth_of_its_own_mel():
    def paint(faces, mels):
        painted = faces.astype(int) + mels[:, :1, :1, None].astype(int)
        return np.clip(painted, 0, 255).astype(np.uint8)

    frames = with_faces(5)
    mels = [None if n == 2 else MEL + 10 * (n + 1) for n in range(5)]
    lips = FakeLips(make_profile(batch=2), paint=paint)
    pictures = LipRenderer(lips, settings()).render(frames, mels)
    for n, (picture, one) in enumerate(zip(pictures, frames, strict=True)):
        rise = (planes_of(picture).luma.astype(int) - planes_of(one.frame).luma).max()
        assert rise == pytest.approx(0 if n == 2 else 10 * (n + 1) * 219 / 255, abs=1.5)


def test_strengths_fade_the_change_in():
    frames = [tracked(n, make_frame(80, 60), FACE) for n in range(3)]
    lips = FakeLips(make_profile(), paint=inverting)
    pictures = LipRenderer(lips, settings()).render(frames, [MEL] * 3, strengths=[0.25, 0.5, 1.0])
    quarter, half, whole = (
        np.abs(planes_of(picture).luma.astype(int) - planes_of(frames[0].frame).luma).max() for picture in pictures
    )
    assert quarter == pytest.approx(whole / 4, abs=1.5)
    assert half == pytest.approx(whole / 2, abs=1.5)


@pytest.mark.parametrize("blend", ["residual", "replace"])
def test_a_stretched_crop_comes_back_where_it_was_cut(blend):
    frame = make_frame(80, 60)
    for plane, value in zip(planes_of(frame), (120, 128, 128), strict=True):
        plane[:] = value

    def dot(faces, mels):
        moved = faces.copy()
        moved[:, 20:28, 14:18] = 240
        return moved

    profile = replace(make_profile(32, blend, margins=(0, 0, 0, 0)), crop_fit="stretch")
    lips = FakeLips(profile, paint=dot)
    (picture,) = LipRenderer(lips, settings()).render([tracked(0, frame, face_at(40, 30, 24, 48))], [MEL])
    change = np.abs(planes_of(picture).luma.astype(float) - 120)
    ys, xs = np.mgrid[0:60, 0:80] + 0.5
    assert np.sum(xs * change) / change.sum() == pytest.approx(28 + 24 * 16 / 32, abs=0.3)
    assert np.sum(ys * change) / change.sum() == pytest.approx(6 + 48 * 24 / 32, abs=0.6)


def test_an_engine_that_answers_the_crop_itself_changes_nothing():
    frames = with_faces(2)
    pictures = LipRenderer(FakeLips(make_profile(), paint=lambda faces, mels: faces), settings()).render(
        frames, [MEL] * 2
    )
    assert all(same(picture, one.frame) for picture, one in zip(pictures, frames, strict=True))


def test_a_slow_engine_is_asked_again_with_the_same_crops():
    lips = FakeLips(make_profile(), failures=[EngineTimeout("lips", "slow")] * 2)
    LipRenderer(lips, settings()).render(with_faces(1), [MEL])
    assert len(lips.calls) == 3
    assert np.array_equal(lips.calls[0].faces, lips.calls[2].faces)


def test_a_refusal_is_the_callers_to_handle():
    lips = FakeLips(make_profile(), failures=[EngineRefused("lips", "no")])
    with pytest.raises(EngineRefused):
        LipRenderer(lips, settings()).render(with_faces(1), [MEL])


def test_frames_mels_and_strengths_must_be_as_many():
    renderer = LipRenderer(FakeLips(make_profile()), settings())
    with pytest.raises(ValueError, match="zip"):
        renderer.render(with_faces(2), [MEL])
    with pytest.raises(ValueError, match="zip"):
        renderer.render(with_faces(2), [MEL] * 2, strengths=[1.0])


def test_the_figures_add_up():
    renderer = LipRenderer(FakeLips(make_profile(batch=2)), settings())
    renderer.render([tracked(0, face=None), *with_faces(3)], [MEL] * 4)
    renderer.render(with_faces(1), [MEL])
    stats = renderer.stats
    assert (stats.frames, stats.frames_changed, stats.engine_calls) == (5, 4, 3)
    assert stats.crop_s > 0
    assert stats.engine_s > 0
    assert stats.composite_s > 0
