from typing import Any

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from generate.fields import BadFolder
from generate.folder import VersionFolder
from generate.xtts.options import XttsOptions
from generate.xtts.section import read_section
from generate.xtts.voice import Voices

from .conftest import DECODER, SECTION, ToyGraphs, reference


def voices(version: VersionFolder, **options: Any) -> Voices:
    return Voices(version, read_section(version.section, DECODER.vocab), XttsOptions(**options))


def test_a_voice_is_the_mean_of_the_chunks_latents_and_one_embedding(version: VersionFolder, graphs: ToyGraphs) -> None:
    voice = voices(version).of(reference(6.2))
    assert [given["mel"].shape[2] for given in graphs.heard["conditioning"]] == [173, 173, 173]
    means = [given["mel"].mean() / 10 for given in graphs.heard["conditioning"]]
    np.testing.assert_allclose(voice.latents, np.mean(means), rtol=1e-5)
    assert voice.latents.shape == (4, DECODER.width)
    assert voice.embedding.shape == (1, 3)
    [given] = graphs.heard["speaker"]
    assert given["mel"].shape == (1, 64, 1 + 4 * 100), "four seconds are heard for it"


def test_a_rest_too_short_to_tell_anything_is_left_out(version: VersionFolder, graphs: ToyGraphs) -> None:
    voices(version).of(reference(2.3))
    assert len(graphs.heard["conditioning"]) == 1
    voices(version).of(reference(2.4))
    assert len(graphs.heard["conditioning"]) == 3


def test_a_voice_is_made_once_and_the_oldest_is_forgotten_first(version: VersionFolder, graphs: ToyGraphs) -> None:
    known = voices(version, cached_voices=2)
    first, second, third = (reference(2.0, level) for level in (0.1, 0.2, 0.3))
    made = known.of(first)
    known.of(second)
    assert known.of(first.copy()) is made
    assert len(graphs.heard["speaker"]) == 2
    known.of(third)
    known.of(first)
    assert len(graphs.heard["speaker"]) == 3
    known.of(second)
    assert len(graphs.heard["speaker"]) == 4


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (reference(0.9), "SPEAKER_AUDIO lasts 0.90 s, 1..120 s are taken"),
        (np.zeros(22_050 * 600, np.float32), "SPEAKER_AUDIO lasts 600.00 s"),
        (np.zeros(50_000, np.float32), "SPEAKER_AUDIO is silent"),
        (np.full(50_000, np.nan, np.float32), "SPEAKER_AUDIO"),
        (np.clip(9 * reference(), -1, 1), "SPEAKER_AUDIO is clipped"),
        (20_000 * reference(), "SPEAKER_AUDIO must lie in -1..1"),
        (np.zeros(0, np.float32), "SPEAKER_AUDIO is empty, and this version has no built-in voice"),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused(version: VersionFolder, audio: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        voices(version).of(audio)
    assert str(refused.value).startswith(message)


def test_an_empty_reference_stands_for_a_built_in_voice(version: VersionFolder) -> None:
    latents = np.arange(2, dtype=np.float32)[:, None, None] * np.ones((2, 4, DECODER.width), np.float32)
    embeddings = np.ones((2, 3), np.float32)
    np.savez(version.path / "voices.npz", names=np.array(["Ana", "Bo"]), latents=latents, embeddings=embeddings)
    nobody = np.zeros(0, np.float32)
    assert voices(version).of(nobody).key == "Ana"
    assert voices(version, default_voice="Bo").of(nobody).latents[0, 0] == 1
    with pytest.raises(BadFolder, match="default_voice 'Cy' is not there; built in: Ana, Bo"):
        voices(version, default_voice="Cy")


@pytest.mark.parametrize("change", ["latents", "embeddings", "names"])
def test_built_in_voices_of_another_shape_fail_the_load(version: VersionFolder, change: str) -> None:
    arrays = {
        "names": np.array(["Ana"]),
        "latents": np.zeros((1, 4, 16)),
        "embeddings": np.zeros((1, SECTION["embedding"])),
    }
    if change == "names":
        del arrays["names"]
    else:
        arrays[change] = np.zeros((1, 7, 7))
    np.savez(version.path / "voices.npz", **arrays)
    with pytest.raises(BadFolder, match=r"voices\.npz"):
        voices(version)
