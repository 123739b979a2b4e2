"""What the gate takes for the original's is the original's, whichever way it is asked."""

import shutil

import numpy as np
import pytest
import torch

from export.xtts.drawn import SAMPLE_RATE_HZ, draw_sound, draw_text
from export.xtts.gate_codes import ALWAYS_SEEN
from export.xtts.published import WEIGHTS, read_weights
from export.xtts.reference import CONFIG, VOCABULARY, Reference

STEPS = 12


@pytest.fixture(scope="module")
def sound():
    return draw_sound(np.random.default_rng(4), 4.5)


@pytest.fixture(scope="module")
def latents(xtts_reference, sound):
    return xtts_reference.latents_of(sound)


@pytest.fixture(scope="module")
def text(xtts_settings):
    return draw_text(xtts_settings, np.random.default_rng(5), 2, 7)


def test_latents_of_a_sound_are_the_mean_of_its_pieces(xtts_reference, sound, latents):
    cut = xtts_reference.config.gpt_cond_chunk_len * SAMPLE_RATE_HZ
    pieces = [
        xtts_reference.latents(xtts_reference.conditioning_mel(piece)[None])[0] for piece in np.split(sound, [cut])
    ]
    np.testing.assert_allclose(np.mean(pieces, axis=0), latents, rtol=0, atol=1e-5)


def test_an_embedding_of_a_sound_is_that_of_its_mel(xtts_reference, sound):
    mel = xtts_reference.speaker_mel(xtts_reference.resampled(sound))
    embedding = xtts_reference.embedding(mel[None])[0]
    np.testing.assert_allclose(xtts_reference.embedding_of(sound), embedding, rtol=0, atol=1e-6)
    assert np.linalg.norm(embedding) == pytest.approx(1)


@pytest.mark.parametrize("penalty", [1.0, 10.0])
def test_its_codes_are_chosen_from_the_logits_that_it_gives_for_them(
    xtts_reference, xtts_settings, latents, text, penalty
):
    codes = xtts_reference.greedy(np.stack([latents, latents]), text, STEPS, penalty)
    logits, hidden = xtts_reference.hidden(np.stack([latents, latents]), text, codes)
    assert codes.shape == hidden.shape[:2] == (2, STEPS)
    for row, said in enumerate(codes):
        for at, code in enumerate(said):
            scores = logits[row, at].copy()
            for seen in {ALWAYS_SEEN, xtts_settings.start_audio, *said[:at].tolist()}:
                scores[seen] *= penalty if scores[seen] < 0 else 1 / penalty
            scores[xtts_settings.stop_audio] = -np.inf
            assert scores.argmax() == code


def test_it_speaks_as_many_codes_as_it_is_told_streamed_or_not(xtts_reference, sound, latents):
    voice = torch.from_numpy(xtts_reference.embedding_of(sound))[None, :, None]
    given = ("a short text.", "en", torch.from_numpy(latents)[None], voice)
    with xtts_reference.exactly(9) as settings:
        whole = xtts_reference.model.inference(*given, **settings)
        chunks = list(xtts_reference.model.inference_stream(*given, stream_chunk_size=4, **settings))
    frames = xtts_reference.features(whole["gpt_latents"][0]).shape[1]
    assert whole["gpt_latents"].shape[1] == 9
    assert len(whole["wav"]) == sum(map(len, chunks)) == frames * 256


def test_it_needs_no_file_of_weights_beside_those_that_our_reader_accepted(xtts_folder, tmp_path, xtts_reference, text):
    for name in (CONFIG, VOCABULARY):
        shutil.copy(xtts_folder / name, tmp_path)
    trained = {f"xtts.{name}": tensor for name, tensor in read_weights(xtts_folder / WEIGHTS).items()}
    again = Reference(tmp_path, trained)  # as the original's trainer names them
    np.testing.assert_array_equal(again.text_embeds(text), xtts_reference.text_embeds(text))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([CONFIG, VOCABULARY])
