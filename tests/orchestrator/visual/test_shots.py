from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.visual.shots import CUT_DIFFERENCE, FLASH_S, SAME_DIFFERENCE, ShotDetector, difference, glance
from tests.benchmarks.moving_face import MOTIONS, moving_face, pictures
from tests.visual_factory import make_frame

FPS = 25
CLIP = "samples/astronaut_en.mp4"


def frame_of(picture):
    rgb = np.ascontiguousarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")


def scene(seed):
    """A picture of large coloured patches, as places are: float32 [90, 160, 3]."""
    random = np.random.default_rng(seed)
    patches = random.uniform(20, 235, (6, 10, 3))
    return np.kron(patches, np.ones((15, 16, 1))).astype(np.float32)


def cuts(pictures_, fps=FPS):
    """Return the indices of frames that begin a new shot."""
    detector = ShotDetector()
    decided = []
    for index, picture in enumerate(pictures_):
        frame = picture if isinstance(picture, av.VideoFrame) else frame_of(picture)
        decided += detector.push(glance(frame, index / fps))
    decided += detector.flush()
    return [index for index, is_cut in enumerate(decided) if is_cut]


def noisy(picture, seed, deviation=3.0):
    return picture + np.random.default_rng(seed).normal(0, deviation, picture.shape)


def test_hard_cuts_are_found_at_their_frames():
    shots = [(1, 17), (2, 40), (3, 9), (1, 25)]
    assert cuts(noisy(scene(seed), n) for seed, length in shots for n in range(length)) == [17, 57, 66]


def test_shots_of_a_few_frames_are_found():
    assert cuts(scene(seed) for seed, length in [(1, 20), (2, 3), (3, 20)] for _ in range(length)) == [20, 23]


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_moving_head_is_no_cut(motion):
    assert cuts(pictures(moving_face(motion, 3.0, 120.0))) == []


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("light", [255.0, 0.0, None])
def test_a_flash_is_no_cut(frames, light):
    still = scene(1)
    other = scene(2) if light is None else np.clip(still * 0.15 + light * 0.85, 0, 255)
    assert cuts([still] * 20 + [other] * frames + [still] * 20) == []


def test_a_cut_in_the_last_frames_is_found_without_waiting():
    assert cuts([scene(1)] * 20 + [scene(2)] * 2) == [20]


def test_a_fade_to_black_and_back_is_no_cut():
    still = scene(1)
    down = [still * share for share in np.linspace(1, 0, 25)]
    assert cuts([still] * 10 + down + [still * 0] * 10 + down[::-1] + [still] * 10) == []


def test_a_fade_through_black_into_another_scene_is_one_cut():
    down, up = np.linspace(1, 0, 15), np.linspace(0, 1, 15)
    clip = [scene(1) * share for share in down] + [scene(2) * share for share in up]
    found = cuts(clip)
    assert len(found) == 1
    assert 15 <= found[0] <= 20


def test_noise_and_a_shaking_camera_are_no_cuts():
    random = np.random.default_rng(0)
    assert cuts(random.uniform(0, 255, (90, 160, 3)) for _ in range(40)) == []
    wide = np.concatenate([scene(1), scene(2), scene(3)], axis=1)
    shifts = random.integers(0, 320, 40)
    assert len(cuts([scene(1)] * 20 + [wide[:, shift : shift + 160] for shift in shifts])) <= 1


def test_a_pan_is_at_most_a_cut_at_its_start():
    wide = np.concatenate([scene(seed) for seed in range(1, 6)], axis=1)
    clip = [wide[:, 0:160]] * 15 + [wide[:, x : x + 160] for x in range(0, 620, 20)] + [wide[:, 620:780]] * 15
    assert cuts(clip) == []


def test_the_sample_has_one_shot_and_its_cut_with_another_picture_is_found():
    with av.open(CLIP) as clip:
        sample = [frame for _, frame in zip(range(60), clip.decode(video=0), strict=False)]
    other = [frame.reformat(512, 512, "yuv420p") for frame in map(frame_of, [scene(4)] * 20)]
    assert cuts(sample) == []
    assert cuts([*sample[:30], *other, *sample[30:]]) == [30, 50]
    closer = [frame_of(frame.to_ndarray(format="rgb24")[100:356, 128:384]) for frame in sample]
    assert cuts([*sample[:30], *[one.reformat(512, 512, "yuv420p") for one in closer[30:]]]) == [30]


def test_decisions_come_at_once_but_behind_a_candidate():
    detector = ShotDetector()
    waits = []
    for index in range(60):
        decided = detector.push(glance(frame_of(scene(1 if index < 30 else 2)), index / FPS))
        waits.append(len(decided))
    assert waits[:30] == [1] * 30
    assert waits[30:35] == [0] * 5
    assert waits[35] == 6
    assert waits[36:] == [1] * 24
    assert round(FLASH_S * FPS) == 5


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 10))
def test_every_frame_is_decided_once_and_in_order(seeds, flush_every):
    detector = ShotDetector()
    glances = {seed: glance(frame_of(scene(seed)), 0.0) for seed in set(seeds)}
    decided = 0
    for index, seed in enumerate(seeds, start=1):
        one = glances[seed]
        decided += len(detector.push(type(one)(index / FPS, one.blocks, one.tones, one.blank)))
        if index % flush_every == 0:
            decided += len(detector.flush())
            assert decided == index
    assert decided + len(detector.flush()) == len(seeds)


def test_differences_of_one_scene_and_of_two_lie_apart():
    same = [glance(frame_of(noisy(scene(1), n)), 0) for n in range(5)]
    others = [glance(frame_of(scene(seed)), 0) for seed in range(8)]
    assert max(difference(a, b) for a, b in pairwise(same)) < SAME_DIFFERENCE / 2
    assert min(difference(a, b) for a, b in pairwise(others)) > CUT_DIFFERENCE


def test_pictures_of_any_size_can_be_looked_at():
    for width, height in [(2, 2), (16, 16), (64, 48), (1920, 1080), (50, 400)]:
        one = glance(make_frame(width, height), 0.0)
        assert difference(one, one) == 0.0
        assert one.tones.sum() == pytest.approx(3.0, abs=0.1)
