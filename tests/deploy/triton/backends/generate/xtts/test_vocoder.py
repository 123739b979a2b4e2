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


def spoken(latents: np.ndarray, chunk_codes: int, speed: float) -> tuple[np.ndarray, list[int], list[int]]:
    """The whole sound, how long its chunks are, and how long the windows."""
    graph = Graph()
    step = interpolation(1.0, 1024, 256, (22_050, 24_000)).settled(chunk_codes)
    speech = Speech(Vocoder(graph, HOP, step), interpolation(speed, 1024, 256, (22_050, 24_000)), EMBEDDING)
    chunks = [samples for latent in latents for samples in speech.hear(latent)]
    chunks += list(speech.finish())
    return np.concatenate(chunks), [len(chunk) for chunk in chunks], graph.lengths


def at_once(latents: np.ndarray, speed: float) -> np.ndarray:
    chain = interpolation(speed, 1024, 256, (22_050, 24_000))
    frames = chain.frames(latents, 0, chain.length(len(latents)))
    return Graph()({"features": frames.T[None], "embedding": EMBEDDING})[0][0]


@given(st.integers(2, 150), st.integers(8, 40), st.sampled_from([1.0, 0.5, 0.83, 1.2, 2.0]))
def test_streamed_sound_is_the_sound_made_at_once(codes: int, chunk_codes: int, speed: float) -> None:
    latents = np.random.default_rng(codes).standard_normal((codes, 5)).astype(np.float32)
    streamed, _, _ = spoken(latents, chunk_codes, speed)
    whole = at_once(latents, speed)
    assert len(streamed) == len(whole)
    np.testing.assert_allclose(streamed, whole, atol=1e-3 * np.abs(whole).max())


def test_one_code_said_faster_is_too_short_to_be_heard() -> None:
    speech = Speech(Vocoder(Graph(), HOP, 84), interpolation(1.2, 1024, 256, (22_050, 24_000)), EMBEDDING)
    assert [*speech.hear(np.ones(5, np.float32)), *speech.finish()] == []


def test_the_first_chunk_comes_with_the_codes_of_one_chunk_and_windows_have_two_lengths() -> None:
    latents = np.random.default_rng(0).standard_normal((200, 5)).astype(np.float32)
    graph = Graph()
    vocoder = Vocoder(graph, HOP, interpolation(1.0, 1024, 256, (22_050, 24_000)).settled(20))
    speech = Speech(vocoder, interpolation(1.0, 1024, 256, (22_050, 24_000)), EMBEDDING)
    first = next(number for number, latent in enumerate(latents) if list(speech.hear(latent)))
    assert first == 19
    _, chunks, windows = spoken(latents, 20, 1.0)
    assert set(windows) == {vocoder.step_frames, vocoder.window_frames}
    assert sum(windows) < 1.6 * sum(chunks) / HOP
    assert chunks[0] == (vocoder.step_frames - REACH_FRAMES - 1) * HOP


def test_nothing_is_said_of_nothing() -> None:
    speech = Speech(Vocoder(Graph(), HOP, 80), interpolation(1.0, 1024, 256, (22_050, 24_000)), EMBEDDING)
    assert list(speech.finish()) == []


def test_both_lengths_are_prepared() -> None:
    graph = Graph()
    vocoder = Vocoder(graph, HOP, 84)
    vocoder.prepare(5, 3)
    assert sorted(graph.lengths) == [84, vocoder.window_frames] == [84, 111]


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_speed_changes_the_length(speed: float) -> None:
    latents = np.zeros((100, 5), np.float32)
    streamed, _, _ = spoken(latents, 20, speed)
    assert len(streamed) / HOP == pytest.approx(100 * 4 * 24_000 / 22_050 / speed, abs=3)
