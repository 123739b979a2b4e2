"""speakers_xtts.pth becomes voices.npz."""

from pathlib import Path

import numpy as np
import pytest
import torch

from export.bundle.published import Published
from export.errors import CheckpointRefused, NotFinite
from export.xtts.settings import XttsSettings, settings_of
from export.xtts.synth_config import config_of
from export.xtts.vocabulary import TextTokens
from export.xtts.voices import SPEAKERS, VOICES, write_voices

WIDTH = 64
SETTINGS: XttsSettings = settings_of(config_of(2, WIDTH, 2, 512), TextTokens(512, 261, 0))


def voice(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "gpt_cond_latent": torch.randn(1, 32, WIDTH, generator=generator),
        "speaker_embedding": torch.randn(1, 512, 1, generator=generator),
    }


@pytest.fixture
def published(tmp_path: Path) -> Published:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return Published(tmp_path / "in", {}, {}, "")


def write(published: Published, content: object) -> Path:
    torch.save(content, published.path / SPEAKERS)
    out = published.path.with_name("out")
    write_voices(published, SETTINGS, out)
    return out / VOICES


def test_voices_keep_their_names_and_numbers(published):
    voices = {"Ana Florence": voice(0), "Žižka": voice(1)}
    with np.load(write(published, voices), allow_pickle=False) as found:
        assert found["names"].tolist() == list(voices)
        assert found["latents"].dtype == found["embeddings"].dtype == np.float32
        for index, each in enumerate(voices.values()):
            np.testing.assert_array_equal(found["latents"][index], each["gpt_cond_latent"][0].numpy())
            np.testing.assert_array_equal(found["embeddings"][index], each["speaker_embedding"][0, :, 0].numpy())


def test_a_checkpoint_without_voices_gets_no_file(published):
    out = published.path.with_name("out")
    write_voices(published, SETTINGS, out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1], "not voices by name"),
        ({}, "not voices by name"),
        ({"Ana": [1]}, "the voice 'Ana' is list"),
        ({"Ana": {"gpt_cond_latent": torch.ones(1, 32, WIDTH)}}, r"has no speaker_embedding \[1, 512, 1\]"),
        ({"Ana": voice(0) | {"gpt_cond_latent": torch.ones(1, 32, 1024)}}, r"has no gpt_cond_latent \[1, 32, 64\]"),
    ],
)
def test_a_file_of_something_else_is_refused(published, content, reason):
    with pytest.raises(CheckpointRefused, match=reason):
        write(published, content)


def test_a_voice_that_is_not_finite_is_refused(published):
    broken = voice(0)
    broken["speaker_embedding"][0, 3] = float("inf")
    with pytest.raises(NotFinite, match="Ana"):
        write(published, {"Ana": broken})
