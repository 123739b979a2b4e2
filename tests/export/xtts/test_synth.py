"""Random folders: the published format, the same for the same seed, and speech that ends by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch

from export.errors import NotInstalled
from export.xtts.published import WEIGHTS, read_weights
from export.xtts.runner import Decoder
from export.xtts.synth import SIZES, synthesise
from export.xtts.synth_weights import random_network
from export.xtts.voices import SPEAKERS

SEED = 3
"""Of the folder."""
FILES = {"config.json", "model.pth", "speakers_xtts.pth", "vocab.json"}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(xtts_folder, xtts_settings):
    first, again, other = (random_network(xtts_settings, seed).state_dict() for seed in (SEED, SEED, SEED + 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    drawn = [key for key in first if first[key].is_floating_point()]
    assert all(not torch.equal(first[key], other[key]) for key in drawn)
    published = read_weights(xtts_folder / WEIGHTS)
    assert torch.equal(published["gpt.mel_head.weight"], first["gpt.mel_head.weight"])
    assert {path.name for path in xtts_folder.iterdir()} == FILES


def test_a_size_that_there_is_not_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match="full, reduced"):
        synthesise(tmp_path / "out", 0, "huge")
    assert next(iter(SIZES)) == "full"
    (tmp_path / "file").touch()
    with pytest.raises(NotInstalled, match="cannot be written"):
        synthesise(tmp_path / "file" / "out", 0, "reduced")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture(scope="module")
def voice(xtts_folder: Path) -> tuple[np.ndarray, np.ndarray]:
    first = next(iter(torch.load(xtts_folder / SPEAKERS).values()))
    return first["gpt_cond_latent"].numpy(), first["speaker_embedding"][:, :, 0].numpy()


def spoken(run, settings, latents: np.ndarray, seed: int) -> np.ndarray:
    """Sample codes as XTTS-v2 does until the stop code comes: hidden states [codes, width]."""
    rng = np.random.default_rng(seed)
    text = run["text"]({"input_ids": rng.integers(3, settings.text_tokens, (1, 20))})["text_embeds"]
    decoder = Decoder(run["decoder"], settings, settings.max_positions, 1)
    code, seen, found = settings.start_audio, {1, settings.start_audio}, []
    for place in range(settings.max_new_tokens):
        embeds = run["embed"]({"input_ids": np.array([[code]]), "position_ids": np.array([[place]])})["inputs_embeds"]
        if place == 0:
            logits, hidden = decoder.prefill(0, np.concatenate([latents, text, embeds], axis=1))
        else:
            logits, hidden = decoder.step(embeds)
        found.append(hidden[0, -1])
        code = sampled(logits[0, -1], seen, rng)
        seen.add(code)
        if code == settings.stop_audio:
            break
    return np.array(found)


def sampled(logits: np.ndarray, seen: set[int], rng: np.random.Generator) -> int:
    scores = logits.astype(np.float64)
    known = sorted(seen)
    scores[known] = np.where(scores[known] > 0, scores[known] / 10, scores[known] * 10)
    best = np.argsort(-scores)[:50]
    chances = np.exp((scores[best] - scores[best[0]]) / 0.75)
    chances /= chances.sum()
    kept = np.cumsum(chances) - chances < 0.85
    return int(rng.choice(best[kept], p=chances[kept] / chances[kept].sum()))


def test_speech_of_random_weights_ends_by_itself_and_is_heard(xtts_run, xtts_settings, voice):
    latents, embedding = voice
    spoke = [spoken(xtts_run, xtts_settings, latents, seed) for seed in range(8)]
    lengths = [len(each) for each in spoke]
    assert all(5 <= length <= 200 for length in lengths)
    assert 20 <= np.median(lengths) <= 150
    features = np.repeat(spoke[0][:30], 4, axis=0).T[None]
    audio = xtts_run["vocoder"]({"features": features, "embedding": embedding})["audio"]
    assert 0.01 < np.sqrt(np.square(audio).mean()) < 0.5
    assert np.abs(audio).max() < 0.99


def test_voices_and_texts_change_what_is_said(xtts_run, xtts_settings, voice):
    latents, _ = voice
    one, other = (spoken(xtts_run, xtts_settings, each, 0)[0] for each in (latents, -latents))
    assert np.abs(one - other).mean() > 0.01
