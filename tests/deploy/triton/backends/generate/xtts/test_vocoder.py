"""Streaming, with a stand-in vocoder that reaches as far as the real one; the real one: tests/model_repository."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from generate.xtts.interp import interpolation
from generate.xtts.vocoder import REACH_FRAMES, Speech, Vocoder
from hypothesis import given
from hypothesis import strategies as st

HOP = 4
KERNEL = np.random.default_rng(0).standard_normal(2 * 13 + 1)
EMBEDDING = np.full((1, 3), 0.5, np.float32)


class Graph:
    """Each sample hears 13 frames to either side; beyond the edges there is silence, as a convolution has it."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def __call__(self, inputs: Mapping[str, Any]) -> list[Any]:
        features = inputs["features"][0]
        self.lengths.append(features.shape[1])
        line = np.convolve(features.sum(axis=0), KERNEL, mode="full")[13:-13]
        samples = (line[:, None] * np.linspace(0.1, 0.4, HOP)).reshape(-1) + inputs["embedding"].sum()
        return [samples[None].astype(np.float32)]


def made(chunk_codes: int, later_codes: int) -> tuple[Graph, Vocoder]:
    graph, natural = Graph(), interpolation(1.0, 1024, 256, (22_050, 24_000))
    return graph, Vocoder(graph, HOP, natural.settled(chunk_codes), natural.settled(later_codes))


def spoken(vocoder: Vocoder, latents: np.ndarray, speed: float = 1.0) -> list[np.ndarray]:
    """What is told, chunk by chunk."""
    speech = Speech(vocoder, interpolation(speed, 1024, 256, (22_050, 24_000)), EMBEDDING)
    return [*(samples for latent in latents for samples in speech.hear(latent)), *speech.finish()]


def at_once(latents: np.ndarray, speed: float) -> np.ndarray:
    chain = interpolation(speed, 1024, 256, (22_050, 24_000))
    frames = chain.frames(latents, 0, chain.length(len(latents)))
    return Graph()({"features": frames.T[None], "embedding": EMBEDDING})[0][0]


@given(st.integers(2, 250), st.integers(8, 40), st.integers(8, 80), st.sampled_from([1.0, 0.5, 0.83, 1.2, 2.0]))
def test_streamed_sound_is_the_sound_made_at_once(codes: int, first: int, later: int, speed: float) -> None:
    latents = np.random.default_rng(codes).standard_normal((codes, 5)).astype(np.float32)
    streamed = np.concatenate(spoken(made(first, later)[1], latents, speed))
    whole = at_once(latents, speed)
    assert len(streamed) == len(whole)
    np.testing.assert_allclose(streamed, whole, atol=1e-3 * np.abs(whole).max())


def test_one_code_said_faster_is_too_short_to_be_heard() -> None:
    speech = Speech(made(20, 40)[1], interpolation(1.2, 1024, 256, (22_050, 24_000)), EMBEDDING)
    assert [*speech.hear(np.ones(5, np.float32)), *speech.finish()] == []


def test_the_first_chunk_comes_with_its_codes_and_little_is_computed_twice() -> None:
    latents = np.random.default_rng(0).standard_normal((300, 5)).astype(np.float32)
    graph, vocoder = made(20, 40)
    speech = Speech(vocoder, interpolation(1.0, 1024, 256, (22_050, 24_000)), EMBEDDING)
    told = [number for number, latent in enumerate(latents) if list(speech.hear(latent))]
    assert told[0] == 19
    assert set(np.diff(told[1:])) <= {39, 40, 41}
    graph.lengths.clear()
    chunks = spoken(vocoder, latents)
    assert sum(graph.lengths) < 1.25 * sum(map(len, chunks)) / HOP
    assert len(chunks[0]) == (vocoder.first_frames - REACH_FRAMES - 1) * HOP


@pytest.mark.parametrize("codes", [40, 60, 77, 100, 101, 180, 300])
def test_every_window_has_a_length_that_was_prepared(codes: int) -> None:
    graph, vocoder = made(20, 40)
    vocoder.prepare(5, 3)
    prepared = set(graph.lengths)
    assert len(prepared) < 12
    spoken(vocoder, np.ones((codes, 5), np.float32))
    assert set(graph.lengths) == prepared


def test_nothing_is_said_of_nothing() -> None:
    speech = Speech(made(20, 40)[1], interpolation(1.0, 1024, 256, (22_050, 24_000)), EMBEDDING)
    assert list(speech.finish()) == []


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_speed_changes_the_length(speed: float) -> None:
    latents = np.zeros((100, 5), np.float32)
    streamed = np.concatenate(spoken(made(20, 40)[1], latents, speed))
    assert len(streamed) / HOP == pytest.approx(100 * 4 * 24_000 / 22_050 / speed, abs=3)
