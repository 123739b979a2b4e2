"""The committed sample clip is what samples/README.md says, and what the demo counts on."""

import re
from pathlib import Path

import av
import numpy as np
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
SENTENCES = re.compile(r"\| ([\d.]+) \.\. ([\d.]+) s \|")


@pytest.fixture(scope="module")
def spoken_s() -> list[tuple[float, float]]:
    """Start and end of the sentences, as the README states them."""
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    return [(float(start), float(end)) for start, end in SENTENCES.findall(text)]


@pytest.fixture(scope="module")
def sound() -> tuple[np.ndarray, int]:
    with av.open(str(SAMPLES / "astronaut_en.mp4")) as clip:
        rate_hz = clip.streams.audio[0].rate
        return np.concatenate([frame.to_ndarray()[0] for frame in clip.decode(audio=0)]), rate_hz


def level_db(sound: tuple[np.ndarray, int], start_s: float, end_s: float) -> float:
    samples, rate_hz = sound
    part = samples[round(start_s * rate_hz) : round(end_s * rate_hz)]
    return float(20.0 * np.log10(np.sqrt(np.mean(part**2)) + 1e-9))


def test_it_is_small_square_and_25_frames_per_second() -> None:
    assert (SAMPLES / "astronaut_en.mp4").stat().st_size < 2_000_000
    with av.open(str(SAMPLES / "astronaut_en.mp4")) as clip:
        video = clip.streams.video[0]
        assert (video.width, video.height, video.average_rate) == (512, 512, 25)
        assert (video.codec_context.name, clip.streams.audio[0].codec_context.name) == ("h264", "aac")
        assert video.frames == 222


def test_the_sentences_are_loud_and_the_pauses_silent(sound, spoken_s: list[tuple[float, float]]) -> None:
    assert len(spoken_s) == 3
    loudness = min(level_db(sound, start, end) for start, end in spoken_s)
    edges = [0.0, *(edge for sentence in spoken_s for edge in sentence), len(sound[0]) / sound[1]]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        assert end - start > 0.6
        assert level_db(sound, start + 0.05, end - 0.05) < loudness - 45.0


def test_every_sentence_is_long_enough_for_a_chunk_of_its_own(spoken_s: list[tuple[float, float]]) -> None:
    assert all(end - start >= 1.5 for start, end in spoken_s)


def test_the_face_moves() -> None:
    with av.open(str(SAMPLES / "astronaut_en.mp4")) as clip:
        frames = [frame.to_ndarray(format="gray8") for frame in clip.decode(video=0)]
    head = np.stack(frames[::20]).astype(np.float64)[:, 100:300, 150:350]
    assert np.abs(np.diff(head, axis=0)).mean() > 2.0
