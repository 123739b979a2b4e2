"""Clips whose sound is late or early against the picture by a known time, and what is measured of them."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import av
import numpy as np

from client.contracts import Float32Array
from orchestrator.settings import Settings
from orchestrator.visual.offset_pass import SourceSync, measure_source_sync
from tests.speaker_cases import TEXTS, KnownFaces, Scene, clip_info, frames_of, sound_of
from tests.talking_faces import RATE_HZ, Person, heard, say, timeline

SECONDS = 12.0


class Rendered(NamedTuple):
    """A scene with its pictures."""

    scene: Scene
    frames: Sequence[tuple[int, float, av.VideoFrame]]
    seed: int


@cache
def rendered(seed: int, seconds: float = SECONDS) -> Rendered:
    """Render one person who says two sentences; size, sway, noise, words and pauses follow from `seed`."""
    random = np.random.default_rng(seed)
    first, second = (say(*TEXTS[index]) for index in random.choice(len(TEXTS), 2, replace=False))
    second_s = random.uniform(1.2, 2.0) + len(first) / 4 / RATE_HZ
    track = timeline(seconds, (random.uniform(0.2, 1.0), first), (second_s, second))
    person = Person(
        320.0, 180.0, random.uniform(60, 150), track, bool(random.integers(2)), random.uniform(0.02, 0.08),
        int(random.integers(1000)),
    )  # fmt: skip
    scene = Scene("one", (person,), heard(track), (), seconds, float(random.choice([1.0, 2.0, 4.0])))
    return Rendered(scene, list(frames_of(scene, seed)), seed)


def measured(clip: Rendered, late_s: float = 0.0, sound: Float32Array | None = None) -> SourceSync:
    """Measure a clip whose sound (its own, or `sound`) comes `late_s` late."""
    count, settings = len(clip.frames), Settings()
    scene = replace(clip.scene, sound=shifted(clip.scene.sound if sound is None else sound, late_s))
    detected = [*range(0, count, settings.visual.detect_every_frames), count - 1]
    return measure_source_sync(
        iter(clip.frames), sound_of(scene), clip_info(scene), KnownFaces(scene, detected, clip.seed), settings,
        threading.Event(), lambda: None,
    )  # fmt: skip


def shifted(sound: Float32Array, late_s: float) -> Float32Array:
    """Move sound by `late_s` within its length."""
    count = round(late_s * RATE_HZ)
    moved = np.zeros_like(sound)
    if count >= 0:
        moved[count:] = sound[: len(sound) - count]
    else:
        moved[:count] = sound[-count:]
    return moved
