"""Clips of two people of which one is heard, and how often the branch chooses that one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from client.contracts import Float32Array, UInt8Array
from orchestrator.media.clip import ClipInfo, Mono
from orchestrator.settings import Settings
from orchestrator.visual.branch import Casts, VisualBranch
from orchestrator.visual.chronicle import Chronicle
from orchestrator.visual.loudness import SAMPLE_RATE_HZ, SpeechLoudness
from tests.talking_faces import FPS, NOISE, SIZE, Person, heard, pictures, position, say, timeline
from tests.visual_factory import make_clip_info

BLOCK = SAMPLE_RATE_HZ // 2
LOUD = 0.3
"""Loudness from which a frame counts as speech."""
TEXTS = (
    ("Today is a very important day. Tomorrow we will fly to the moon. The journey takes three days.", "rms"),
    ("I would rather stay at home and read a long book about whales and the sea, said my brother.", "slt"),
    ("Please close the window before you leave, because it is going to rain all night.", "awb"),
    ("Nobody knows how old this bridge is. It was built by hand, stone by stone, in a cold winter.", "kal16"),
    ("We have bread, cheese and apples. Would you like a cup of tea with your breakfast?", "awb"),
    ("The train to Madrid leaves at nine. Do not forget your ticket, your bag and your umbrella.", "rms"),
    ("My grandmother had a garden full of roses, and every summer we painted the fence together.", "slt"),
    ("If the weather is fine on Sunday, the whole family will walk along the river to the mill.", "kal16"),
)


class Turn(NamedTuple):
    """A stretch in which one person (index from left to right) is heard; -1: somebody out of sight."""

    start_s: float
    end_s: float
    person: int


@dataclass(frozen=True)
class Scene:
    """A clip and its truth."""

    kind: str
    people: tuple[Person, ...]
    """From left to right."""
    sound: Float32Array
    turns: tuple[Turn, ...]
    seconds: float
    noise: float = NOISE


class Outcome(NamedTuple):
    """What the branch made of a scene."""

    scene: Scene
    chronicle: Chronicle
    chosen: NDArray[np.int_]
    """Index of the person chosen in each frame; -1 for none."""
    by: list[str]
    """Why, for each frame."""
    speech: NDArray[np.bool_]
    """Frames in which somebody is heard."""

    @property
    def truth(self) -> NDArray[np.int_]:
        """Index of the person that is heard, for each frame."""
        people = np.full(len(self.chosen), -1)
        for turn in self.scene.turns:
            people[round(turn.start_s * FPS) : round(turn.end_s * FPS)] = turn.person
        return people

    @property
    def accuracy(self) -> float:
        """Share of the frames with speech in which the person who is heard was chosen."""
        return float((self.chosen == self.truth)[self.speech].mean())


class KnownFaces:
    """A detector that knows where the faces are, as exactly as detectors do: 2 % of a face's width."""

    def __init__(self, scene: Scene, detected: Sequence[int], seed: int = 0) -> None:
        self._scene = scene
        self._frames = iter(detected)
        self._random = np.random.default_rng(seed)

    @property
    def short_side_px(self) -> int:
        """The clips' own size."""
        return SIZE[1]

    def detect(self, frames: UInt8Array, *, traceparent: str = "") -> list[Float32Array]:
        """Fill the Protocol `FacesEngine`."""
        return [self._boxes(next(self._frames)) for _ in frames]

    def _boxes(self, index: int) -> Float32Array:
        rows = []
        for person in self._scene.people:
            x, y = position(person, index / FPS) + self._random.normal(0.0, 0.02, 2) * person.width
            half = person.width / 2 * (1 + self._random.normal(0.0, 0.02))
            rows.append([x - half, y - half, x + half, y + half, 0.9])
        return np.array(rows, np.float32)


def frames_of(scene: Scene, seed: int = 0) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Render the clip."""
    for index, picture in enumerate(pictures(scene.people, scene.seconds, scene.noise, seed)):
        yield index, index / FPS, av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")


def sound_of(scene: Scene) -> Iterator[Mono]:
    """Read the clip's sound in blocks, as `read_audio` does."""
    for start in range(0, len(scene.sound), BLOCK):
        yield scene.sound[start : start + BLOCK]


def clip_info(scene: Scene) -> ClipInfo:
    return make_clip_info(*SIZE, duration_s=scene.seconds, frame_count=round(scene.seconds * FPS))


def watch(scene: Scene, settings: Settings | None = None, casts: Casts | None = None, seed: int = 0) -> Outcome:
    """Let the branch choose."""
    settings = settings or Settings()
    count, step = round(scene.seconds * FPS), settings.visual.detect_every_frames
    detected = [*range(0, count, step), count - 1]  # one shot: every k-th frame and the last
    faces = KnownFaces(scene, detected, seed)
    casts = casts or Casts(sound=lambda: sound_of(scene))
    with VisualBranch(frames_of(scene, seed), clip_info(scene), faces, settings, casts=casts) as branch:
        tracked = list(branch.frames())
        branch.join()
    middles = np.array([person.x for person in scene.people])
    chosen = [
        -1 if one.face is None else int(np.abs(middles - (one.face.x1 + one.face.x2) / 2).argmin()) for one in tracked
    ]
    times_s = np.array([one.time_s for one in tracked])
    by = [_reason(branch.chronicle, time_s) for time_s in times_s]
    loudness = SpeechLoudness(sound_of(scene), settings.vad).at(times_s)
    return Outcome(scene, branch.chronicle, np.array(chosen), by, loudness > LOUD)


def _reason(chronicle: Chronicle, time_s: float) -> str:
    return next((one.chosen_by for one in chronicle.choices if one.start_s <= time_s < one.end_s), "")


def random_scene(kind: str, seed: int, seconds: float = 8.0) -> Scene:
    """Make a scene of a kind whose places, sizes, texts, voices, sway and noise follow from `seed`.

    The person who is heard (first, for `change`) has the smaller face. `other`: the larger one says something else that
    is not heard. `still`: it keeps still. `change`: the smaller one is heard in the first half, the larger one in the
    second. `off`: both keep still while somebody out of sight is heard.
    """
    random = np.random.default_rng(seed)
    own, others = (say(*TEXTS[index]) for index in random.choice(len(TEXTS), 2, replace=False))
    heard_track = timeline(seconds, (random.uniform(0.2, 1.0), own))
    second = {
        "other": timeline(seconds, (random.uniform(0.1, 0.8), others)),
        "still": b"",
        "change": timeline(seconds, (seconds / 2 + random.uniform(0.1, 0.4), others)),
        "off": b"",
    }[kind]
    if kind == "change":
        half = np.frombuffer(heard_track, np.float32).copy()
        half[len(half) // 2 :] = 0.0
        heard_track = half.tobytes()
    left = bool(random.integers(2))
    sway = random.uniform(0.02, 0.08)
    sides = (160.0, 480.0) if left else (480.0, 160.0)
    first = Person(
        sides[0], 180.0, random.uniform(55, 80), b"" if kind == "off" else heard_track,
        bool(random.integers(2)), sway, int(random.integers(1000)),
    )  # fmt: skip
    second_person = Person(
        sides[1], 180.0, random.uniform(85, 120), second, bool(random.integers(2)), sway, int(random.integers(1000))
    )
    mine = 0 if left else 1
    turns = {
        "change": (Turn(0.0, seconds / 2, mine), Turn(seconds / 2, seconds, 1 - mine)),
        "off": (Turn(0.0, seconds, -1),),
    }.get(kind, (Turn(0.0, seconds, mine),))
    people = (first, second_person) if left else (second_person, first)
    sound = heard(heard_track, second) if kind == "change" else heard(heard_track)
    return Scene(kind, people, sound, turns, seconds, float(random.choice([1.0, 2.0, 4.0])))
