import random
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from client.contracts import SPEAKER_SAMPLE_RATE_HZ
from orchestrator.pcm import pcm_to_float
from orchestrator.segmentation.vad import Chunk
from orchestrator.settings import VoiceSettings
from orchestrator.voice.choice import ReferenceChoice
from orchestrator.voice.reference import Reference
from tests.fakes.sounds import coloured_noise

RATE_HZ = 16_000
SETTINGS = VoiceSettings(enough_s=3.0, max_s=5.0, search_s=20.0)
NOISES = {alike: coloured_noise(5 * RATE_HZ, 0.0 if alike else 1.0) for alike in (True, False)}
"""White, of the speaker; brown, of somebody else."""


@dataclass(frozen=True)
class Heard:
    """A chunk of a clip, whether words are understood in it, and whether it is of the speaker or of somebody else."""

    start_s: float
    duration_s: float
    speech: bool = True
    clear: bool = True
    alike: bool = True

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


def chunk(number: int, heard: Heard) -> Chunk:
    """Noise; of an unclear one the floor is as loud as the rest."""
    count = round(heard.duration_s * RATE_HZ)
    samples = NOISES[heard.alike][number : number + count].copy()
    if heard.clear:
        samples[: count // 5] *= 0.001
    return Chunk(number, heard.start_s, heard.end_s, samples, heard.start_s, forced=False)


def choose(chunks: list[Heard], hearing: random.Random | None = None, settings: VoiceSettings = SETTINGS) -> Reference:
    """Cut and hear, in turn, or as late and as disordered as `hearing` has it."""
    choice, waiting = ReferenceChoice(settings), []
    for number, heard in enumerate(chunks):
        choice.settle(heard.start_s)
        choice.cut(chunk(number, heard))
        waiting.append(number)
        while waiting and (hearing is None or hearing.random() < 0.4):
            told = waiting.pop(hearing.randrange(len(waiting)) if hearing else 0)
            choice.hear(told, speech=chunks[told].speech)
    choice.settle(float("inf"))
    if hearing is not None:
        hearing.shuffle(waiting)
    for told in waiting:
        choice.hear(told, speech=chunks[told].speech)
    assert choice.reference is not None
    return choice.reference


@st.composite
def clips(draw: st.DrawFn) -> list[Heard]:
    chunks, at_ms = [], 0
    for _ in range(draw(st.integers(0, 8))):
        at_ms += draw(st.integers(0, 6000))
        length_ms = draw(st.integers(200, 4000))
        traits = [draw(st.booleans()) for _ in range(3)]
        chunks.append(Heard(at_ms / 1000, length_ms / 1000, *traits))
        at_ms += length_ms
    first = next((number for number, heard in enumerate(chunks) if heard.speech), None)
    if first is not None:
        chunks[first] = replace(chunks[first], alike=True)
    return chunks


def speakers(chunks: list[Heard]) -> list[Heard]:
    """The chunks that may be taken: the first that was understood, and what follows soon and is alike."""
    first = next((number for number, heard in enumerate(chunks) if heard.speech), len(chunks))
    near_s = SETTINGS.search_s + (chunks[first].start_s if first < len(chunks) else 0.0)
    return [heard for heard in chunks[first:] if heard.alike and heard.start_s < near_s]


@given(clips(), st.randoms(use_true_random=False))
def test_the_reference_does_not_depend_on_who_was_faster(chunks, hearing):
    assert choose(chunks) == choose(chunks, hearing)


@given(clips())
def test_it_is_of_the_speakers_own_speech_in_order_and_within_its_bounds(chunks):
    reference = choose(chunks)
    own = {(round(heard.start_s * 1000), round(heard.end_s * 1000)) for heard in speakers(chunks)}
    assert list(reference.stretches_ms) == sorted(reference.stretches_ms)
    for start_ms, end_ms in reference.stretches_ms:
        assert any(start_ms == begin and end_ms <= end for begin, end in own)
    seconds = len(pcm_to_float(reference.pcm)) / SPEAKER_SAMPLE_RATE_HZ
    assert seconds <= SETTINGS.max_s + 0.001
    assert abs(seconds - reference.speech_s) < 0.01
    assert reference.pcm == b"" or reference.speech_s >= SETTINGS.min_s - 0.001


@given(clips())
def test_there_is_one_whenever_the_searched_part_has_a_second_of_speech(chunks):
    speech_ms = sum(round(heard.duration_s * 1000) for heard in speakers(chunks))
    assert bool(choose(chunks).pcm) == (speech_ms >= SETTINGS.min_s * 1000)


def test_nothing_is_waited_for_but_the_first_speech_and_enough_that_is_like_it():
    choice = ReferenceChoice(SETTINGS)
    for number, start_s in enumerate((1.0, 4.0, 7.0)):
        choice.cut(chunk(number, Heard(start_s, 2.0)))
    choice.hear(2, speech=True)
    choice.hear(0, speech=False)
    assert choice.reference is None
    choice.hear(1, speech=True)
    assert choice.reference is not None
    assert choice.reference.stretches_ms == ((4000, 6000), (7000, 9000))


def test_clear_speech_is_preferred_to_what_has_music_behind_it():
    chunks = [Heard(0, 2, clear=False), Heard(3, 2), Heard(6, 2, clear=False), Heard(9, 2)]
    assert choose(chunks).stretches_ms == ((3000, 5000), (9000, 11_000))


def test_where_nothing_is_clear_the_speech_there_is_must_do():
    assert choose([Heard(0, 2, clear=False), Heard(3, 2, clear=False)]).stretches_ms == ((0, 2000), (3000, 5000))


def test_what_comes_before_the_first_words_is_left_out_however_it_sounds():
    assert choose([Heard(0, 4, speech=False), Heard(5, 2)]).stretches_ms == ((5000, 7000),)


def test_what_sounds_unlike_the_first_speech_is_left_out_whatever_was_understood_in_it():
    chunks = [Heard(0, 2), Heard(3, 2, alike=False), Heard(6, 2, speech=False)]
    assert choose(chunks).stretches_ms == ((0, 2000), (6000, 8000))


def test_what_lies_too_far_behind_the_first_speech_is_not_waited_for():
    choice = ReferenceChoice(SETTINGS)
    choice.cut(chunk(0, Heard(2.0, 1.5)))
    choice.hear(0, speech=True)
    choice.settle(21.9)
    assert choice.reference is None
    choice.settle(22.0)
    assert choice.reference is not None
    assert choice.reference.stretches_ms == ((2000, 3500),)


def test_the_last_stretch_is_cut_where_the_reference_is_full():
    assert choose([Heard(0, 2.5), Heard(3, 4)]).stretches_ms == ((0, 2500), (3000, 5500))


def test_a_silent_stretch_of_a_transcript_is_passed_over():
    choice = ReferenceChoice(SETTINGS)
    for number, sound in enumerate((chunk(0, Heard(0, 3)).samples * 0, chunk(1, Heard(0, 3)).samples)):
        choice.cut(Chunk(number, 4.0 * number, 4.0 * number + 3, sound, 4.0 * number, forced=False))
        choice.hear(number, speech=True)
    assert choice.reference is not None
    assert choice.reference.stretches_ms == ((4000, 7000),)


def test_a_transcript_that_goes_on_behind_the_sound_counts_as_far_as_there_is_sound():
    choice = ReferenceChoice(SETTINGS)
    choice.cut(Chunk(0, 1.0, 4.0, chunk(0, Heard(0, 0.9)).samples, 1.0, forced=False))
    choice.hear(0, speech=True)
    choice.settle(float("inf"))
    assert choice.reference == Reference(pcm=b"", stretches_ms=(), sound_starts_ms=0)


def test_less_than_a_second_of_speech_is_no_reference():
    assert choose([Heard(0, 0.5), Heard(2, 0.4)]) == Reference(pcm=b"", stretches_ms=(), sound_starts_ms=0)
    assert choose([]).pcm == b""
