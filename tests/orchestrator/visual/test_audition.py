"""Who speaks, on rendered clips of two faces; the larger one is never the one that is heard first."""

import numpy as np
import pytest

from orchestrator.settings import Settings
from orchestrator.visual.audition import SpeakerCasting
from orchestrator.visual.casting import ChosenBy
from orchestrator.visual.loudness import SpeechLoudness
from orchestrator.visual.seen import SeenFace, SeenFrame
from tests.speaker_cases import FPS, Scene, Turn, sound_of, watch
from tests.talking_faces import Person, heard, say, timeline
from tests.visual_factory import face_at, make_frame

SECONDS = 5.0
HERS = timeline(SECONDS, (0.4, say("Today is a very important day. Tomorrow we will fly to the moon.", "rms")))
HIS = timeline(SECONDS, (0.7, say("I would rather stay at home and read a long book about whales.", "slt")))
LARGE, SMALL = 115.0, 65.0


def scene(small_says, large_says, sound, *turns):
    """The small face on the left."""
    people = (
        Person(160, 180, SMALL, small_says, seed=1),
        Person(480, 180, LARGE, large_says, mirrored=True, seed=2),
    )
    return Scene("test", people, heard(sound), turns or (Turn(0.0, SECONDS, 0),), SECONDS)


@pytest.mark.parametrize("others", [HIS, b""], ids=["the other says something else", "the other keeps still"])
def test_the_one_who_speaks_is_chosen_and_not_the_largest(others):
    outcome = watch(scene(HERS, others, HERS))
    assert outcome.accuracy > 0.9
    story = outcome.chronicle.tracks[1]
    assert story.chosen_frames / story.frames > 0.8
    assert {by for by, loud in zip(outcome.by, outcome.speech, strict=True) if loud} == {"speaker"}


def test_a_change_of_speaker_is_followed():
    half = SECONDS / 2
    words = say("Today is a very important day.", "rms"), say("The train to Madrid leaves at nine.", "slt")
    first = timeline(SECONDS, (0.3, words[0]))
    second = timeline(SECONDS, (half + 0.2, words[1]))
    turns = (Turn(0.0, half, 0), Turn(half, SECONDS, 1))
    outcome = watch(scene(first, second, timeline(SECONDS, (0.0, first), (0.0, second)), *turns))
    assert outcome.accuracy > 0.85


def test_speech_over_faces_that_keep_still_goes_to_the_largest_and_the_report_says_so():
    outcome = watch(scene(b"", b"", HERS))
    assert set(outcome.chosen) == {1}
    assert np.mean([by == "largest" for by in outcome.by]) > 0.8


FRAME = make_frame()


def seen(index, *tracks, shot=1):
    faces = tuple(SeenFace(track, face_at(16 + 20 * track, 24, 10 + 2 * track)) for track in tracks)
    return SeenFrame(index, index / FPS, FRAME, shot, faces)


def casting(look_ahead_s=1.0, max_bytes=10**9, sound=None):
    blocks = iter(()) if sound is None else sound_of(sound)
    return SpeakerCasting(SpeechLoudness(blocks, Settings().vad), look_ahead_s, max_bytes)


def feed(one, frames):
    """Return what came out and the most frames that waited."""
    out, waited = [], 0
    for n, frame in enumerate(frames, start=1):
        out += one.push(frame)
        waited = max(waited, n - len(out))
    out += one.finish()
    return out, waited


def test_one_face_alone_never_waits_and_its_sound_is_not_read():
    def sound():
        pytest.fail("the sound was read")
        yield

    one = SpeakerCasting(SpeechLoudness(sound(), Settings().vad), 1.5, 10**9)
    out, waited = feed(one, [seen(n, *([1] if n % 40 < 30 else [])) for n in range(200)])
    assert waited == 0
    assert {cast.chosen_by for cast in out} == {ChosenBy.ONLY, None}


@pytest.mark.parametrize(("look_ahead_s", "most"), [(0.4, 16), (1.5, 44)])
def test_of_several_faces_only_a_window_waits(look_ahead_s, most):
    out, waited = feed(casting(look_ahead_s), [seen(n, 1, 2) for n in range(200)])
    assert [cast.seen.index for cast in out] == list(range(200))
    assert 0.8 * most < waited <= most


def test_the_bound_in_bytes_counts_more_than_the_look_ahead():
    nbytes = seen(0).nbytes
    out, waited = feed(casting(max_bytes=7 * nbytes), [seen(n, 1, 2, 3) for n in range(100)])
    assert waited <= 7
    assert len(out) == 100


def test_nothing_waits_across_a_cut():
    one = casting()
    frames = [seen(n, 1, 2) for n in range(10)] + [seen(10, 3, shot=2)]
    out = [cast for frame in frames for cast in one.push(frame)]
    assert [cast.seen.index for cast in out] == list(range(11))
    assert out[-1].chosen_by is ChosenBy.ONLY


def test_frames_go_on_at_once_when_the_others_are_gone():
    one = casting()
    out = [cast for n in range(60) for cast in one.push(seen(n, *([1, 2] if 10 <= n < 20 else [1])))]
    assert len(out) >= 60 - 30
    assert len([*out, *one.finish()]) == 60


def test_faces_come_and_go_and_every_frame_has_a_choice_that_is_in_sight():
    random = np.random.default_rng(4)
    frames = [seen(n, *(track for track in (1, 2, 3) if random.random() < 0.8), shot=1 + n // 70) for n in range(200)]
    loud = scene(HERS, b"", HERS)
    out, _ = feed(casting(sound=loud), frames)
    assert [cast.seen.index for cast in out] == list(range(200))
    for cast in out:
        tracks = [face.track for face in cast.seen.faces]
        assert cast.track in (tracks or [0])
