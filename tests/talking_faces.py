"""Clips of people who speak at the same time, made of the sample's portrait: who moves with which sound is known.

Every mouth is moved by the arithmetic of the engine lips_warp, so an opening follows the loudness of its own speech.
Heads sway, and pictures have a sensor's noise.
"""

import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, MelSpec, UInt8Array
from client.mel import mel_windows

CHECKOUT = Path(__file__).parents[1]
sys.path.append(str(CHECKOUT / "model_repository" / "lips_warp" / "1"))

from mouth_locate import MouthLocator  # noqa: E402
from mouth_read import read_mouth  # noqa: E402
from mouth_speech import MelScale, SpeechReader  # noqa: E402
from mouth_warp import warp_mouth  # noqa: E402

FPS = 25
SIZE = (640, 360)
RATE_HZ = 16_000
PORTRAIT_FACE = (224.0, 114.0, 96.0)
"""Centre and width of the face in the portrait, as the Haar detector sees it."""
CROP = (157, 66, 134)
"""Left, top and side of the portrait's face crop: the Haar box with lips_warp's crop_margins."""
CROP_PX = 256
MOUTH_REGION = (0.08, 0.36, 0.92, 1.0)
NOISE = 2.0
"""Standard deviation of the sensor's noise in levels of 8 bits."""


@dataclass(frozen=True)
class Person:
    """One of the people in the picture; `x`, `y` and `width` are the face's, in pixels."""

    x: float
    y: float
    width: float
    says: bytes
    """What moves the mouth: float32 samples at RATE_HZ; `b""` for a face that keeps still."""
    mirrored: bool = False
    sway: float = 0.04
    """How far the head moves, in face widths."""
    seed: int = 0


@cache
def say(text: str, voice: str = "rms") -> bytes:
    """Return speech of flite's `voice` ("rms", "slt", "awb", "kal16"): float32 samples at RATE_HZ, -1..1."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as sound:
            assert sound.getframerate() == RATE_HZ
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    return (pcm / 32768).astype(np.float32).tobytes()


def timeline(seconds: float, *parts: tuple[float, bytes]) -> bytes:
    """Lay speech on a track of silence: (start in seconds, samples) each; what reaches over the end is cut."""
    track = np.zeros(round(seconds * RATE_HZ), np.float32)
    for start_s, speech in parts:
        first = round(start_s * RATE_HZ)
        heard = np.frombuffer(speech, np.float32)[: len(track) - first]
        track[first : first + len(heard)] += heard
    return track.tobytes()


def heard(*tracks: bytes) -> Float32Array:
    """Mix tracks of one length into the clip's sound."""
    return np.sum([np.frombuffer(track, np.float32) for track in tracks], axis=0, dtype=np.float32)


def pictures(people: Sequence[Person], seconds: float, noise: float = NOISE, seed: int = 0) -> Iterator[UInt8Array]:
    """Yield RGB pictures [360, 640, 3] at FPS; every person has a column of the picture, left to right."""
    random = np.random.default_rng(seed)
    mouths = [_openings(person.says, round(seconds * FPS)) for person in people]
    for index in range(round(seconds * FPS)):
        canvas = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
        for place, (person, mouth) in enumerate(zip(people, mouths, strict=True)):
            columns = slice(SIZE[0] * place // len(people), SIZE[0] * (place + 1) // len(people))
            canvas[:, columns] = _drawn(person, mouth[index], index / FPS)[:, columns]
        canvas += random.normal(0.0, noise, canvas.shape).astype(np.float32)
        yield np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def position(person: Person, time_s: float) -> tuple[float, float]:
    """Return where the face's middle is at that time."""
    random = np.random.default_rng(person.seed)
    rates, phases = random.uniform(0.25, 0.8, 2), random.uniform(0.0, 2 * np.pi, 2)
    swing = person.sway * person.width * np.sin(2 * np.pi * rates * time_s + phases)
    return person.x + swing[0], person.y + 0.6 * swing[1]


def _drawn(person: Person, face: UInt8Array, time_s: float) -> Float32Array:
    picture = _portrait().copy()
    left, top, side = CROP
    picture[top : top + side, left : left + side] = face
    face_x, face_y, face_width = PORTRAIT_FACE
    if person.mirrored:
        picture, face_x = picture[:, ::-1], picture.shape[1] - face_x
    x, y = position(person, time_s)
    step = face_width / person.width
    # From the index of a pixel to the index of the portrait's; centres lie half a pixel behind the borders.
    matrix = np.array([[step, 0.0, face_x - 0.5 + (0.5 - x) * step], [0.0, step, face_y - 0.5 + (0.5 - y) * step]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, SIZE, flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


@cache
def _openings(says: bytes, count: int) -> NDArray[np.uint8]:
    """Return the portrait's face crop as it speaks, [count, side, side, 3]."""
    left, top, side = CROP
    still = _portrait()[top : top + side, left : left + side]
    if not says:
        return np.broadcast_to(still, (count, *still.shape))
    face: UInt8Array = cv2.resize(still, (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
    mouth = read_mouth(face, MouthLocator().locate(face))
    spec = MelSpec()
    reader = SpeechReader(
        MelScale(
            spec.n_mels, spec.steps, spec.fmin_hz, spec.fmax_hz, spec.min_level_db, spec.ref_level_db,
            spec.max_abs_value, spec.steps_per_s,
        )
    )  # fmt: skip
    windows = mel_windows(np.frombuffer(says, np.float32), spec, [index / FPS for index in range(count)])
    crops = []
    for window in windows:
        change = warp_mouth(face, mouth, reader.read(window), MOUTH_REGION).astype(np.float32) - face
        small = cv2.resize(change, (side, side), interpolation=cv2.INTER_AREA)
        crops.append(np.clip(np.rint(still + small), 0, 255).astype(np.uint8))
    return np.stack(crops)


@cache
def _portrait() -> UInt8Array:
    picture = cv2.imread(str(CHECKOUT / "samples" / "astronaut.png"))
    assert picture is not None
    return np.ascontiguousarray(picture[:, :, ::-1])
