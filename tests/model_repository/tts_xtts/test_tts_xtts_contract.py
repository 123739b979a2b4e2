"""tts_xtts with random weights in the embedded Triton: what its contract promises, and what the original says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from client.connection import TritonConnection
from client.contracts import AudioChunk
from client.errors import EngineRefused
from client.tts import TritonTts
from export.xtts.family import FAMILY
from export.xtts.published import WEIGHTS, read_weights
from export.xtts.reference import Reference
from tests.served_xtts import ENGINE, serve_xtts

pytestmark = pytest.mark.triton

SEED, CODES = 4, 40
RATE_HZ, CODES_PER_S = 24_000, 22_050 / 1024
ENGLISH, SPANISH = "Today is a very important day.", "Hoy es un día muy importante, y cuesta 20 euros."
EDGE = int(0.05 * RATE_HZ)
"""Samples at the edges that a fade changes."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xtts") / "folder"
    FAMILY.synth(folder, SEED, "reduced")
    return folder


@pytest.fixture(scope="module")
def connection(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonConnection]:
    """Greedy, and every piece of one length: what is said can then be compared."""
    folder = tmp_path_factory.mktemp("served-xtts")
    parameters = {"temperature": "0", "force_codes": str(CODES), "plausible_slack_s": "1.5"}
    with (
        serve_xtts(checkpoint, folder, parameters) as server,
        TritonConnection(server.grpc_url, control_timeout_s=30.0) as connection,
    ):
        yield connection


@pytest.fixture(scope="module")
def tts(connection: TritonConnection) -> TritonTts:
    return TritonTts(connection, ENGINE, timeout_s=60)


@pytest.fixture(scope="module")
def reference(checkpoint: Path) -> Reference:
    return Reference(checkpoint, read_weights(checkpoint / WEIGHTS))


def voice(length_s: float = 5.0, pitch_hz: float = 140.0) -> NDArray[np.float32]:
    """A swelling buzz over the noise of a room: without noise encoders hear nothing but rounding in empty bands."""
    times = np.arange(int(length_s * 22_050)) / 22_050
    buzz = sum(np.sin(2 * np.pi * pitch_hz * number * times) / number for number in range(1, 20))
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(times))
    return (0.075 * buzz * (1.2 + np.sin(2 * np.pi * 3 * times)) + noise).astype(np.float32)


def whole(chunks: list[AudioChunk]) -> NDArray[np.float32]:
    assert not any(chunk.restarts for chunk in chunks)
    assert {chunk.sample_rate_hz for chunk in chunks} == {RATE_HZ}
    return np.concatenate([chunk.samples for chunk in chunks])


def test_it_says_what_the_original_says(tts: TritonTts, reference: Reference) -> None:
    """Voice, text, codes and sound: the whole way, streamed in chunks, against one waveform made at once."""
    speaker = voice()
    with reference.exactly(CODES) as options:
        expected = reference.model.inference(
            SPANISH,
            "es",
            reference.model.get_gpt_cond_latents(*_sound(speaker, reference)),
            reference.model.get_speaker_embedding(_sound(speaker, reference)[0], 22_050),
            do_sample=False,
            repetition_penalty=10.0,
            **options,
        )["wav"]
    chunks = list(tts.speak(SPANISH, "es", speaker))
    said = whole(chunks)
    assert len(chunks) >= 2
    assert len(said) == len(expected)
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(said[EDGE:-EDGE], expected[EDGE:-EDGE], atol=1e-3)


def test_another_voice_sounds_otherwise_and_none_stands_for_the_first_built_in_one(tts: TritonTts) -> None:
    deep, high, nobody = (
        whole(list(tts.speak(ENGLISH, "en", speaker))) for speaker in (voice(), voice(pitch_hz=260.0), None)
    )
    assert np.abs(deep - high).max() > 1e-3
    assert np.abs(deep - nobody).max() > 1e-3


def test_streams_that_speak_together_say_what_they_say_alone(tts: TritonTts) -> None:
    requests = [(ENGLISH, "en", voice()), (SPANISH, "es", voice()), (ENGLISH, "en", voice(3.0, 210.0))]

    def said(request: tuple[str, str, NDArray[np.float32]]) -> NDArray[np.float32]:
        return whole(list(tts.speak(*request)))

    alone = [said(request) for request in requests]
    with ThreadPoolExecutor(len(requests)) as pool:
        together = list(pool.map(said, requests))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_first_chunk_comes_before_the_others_are_made(tts: TritonTts) -> None:
    stream = tts.speak(ENGLISH, "en", voice())
    first = next(iter(stream))
    assert 0.5 < len(first.samples) / RATE_HZ < 20 / CODES_PER_S
    stream.close()


def test_speed_changes_the_length_and_languages_are_stated(tts: TritonTts) -> None:
    natural, fast = (len(whole(list(tts.speak(ENGLISH, "en", voice(), speed)))) for speed in (1.0, 1.5))
    assert natural / fast == pytest.approx(1.5, abs=0.05)
    assert len(tts.languages()) == 17
    assert tts.clones_voice()
    assert tts.pace().speed_range == (0.5, 2.0)


@pytest.mark.parametrize(
    ("text", "language", "speaker", "words"),
    [
        ("", "en", voice(), "TEXT has nothing to speak"),
        ("?! ...", "en", voice(), "TEXT has nothing to speak"),
        ("Привет, как дела?", "es", voice(), "TEXT is in Cyrillic letters"),
        ("Hej allihopa.", "sv", voice(), "LANGUAGE"),
        ("a" * 5001, "en", voice(), "TEXT has 5001 characters"),
        ("Good morning.", "en", voice(0.5), "SPEAKER_AUDIO lasts 0.50 s"),
        ("Good morning.", "en", np.zeros(44_100, np.float32), "SPEAKER_AUDIO is silent"),
        ("Good morning.", "en", np.clip(99 * voice(), -1, 1), "SPEAKER_AUDIO is clipped"),
        ("Good morning.", "en", np.zeros(600 * 22_050, np.float32), "SPEAKER_AUDIO lasts 600.00 s"),
        ("Good morning.", "en", np.full(44_100, np.nan, np.float32), "SPEAKER_AUDIO"),
    ],
)
def test_bad_input_is_refused_by_itself(
    tts: TritonTts, text: str, language: str, speaker: NDArray[np.float32], words: str
) -> None:
    good = tts.speak(ENGLISH, "en", voice())
    with pytest.raises(EngineRefused, match=words):
        list(tts.speak(text, language, speaker))
    assert len(whole(list(good))) / RATE_HZ == pytest.approx(CODES / CODES_PER_S, abs=0.05)


def test_five_thousand_characters_are_spoken_piece_by_piece(tts: TritonTts) -> None:
    stream = tts.speak("These are some words to be said. " * 151, "en", voice())
    for count, chunk in enumerate(stream):
        assert chunk.remark == ""
        if count == 4:  # beyond the first piece
            break
    stream.close()


def _sound(speaker: NDArray[np.float32], reference: Reference) -> tuple[object, ...]:
    import torch

    lengths = (reference.config.gpt_cond_len, reference.config.gpt_cond_chunk_len)
    return (torch.from_numpy(speaker)[None].clone(), 22_050, *lengths)
