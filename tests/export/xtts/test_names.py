"""What a published model.pth may call its tensors, and what becomes of it."""

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from export.errors import CheckpointRefused
from export.xtts.constants import published_constants
from export.xtts.names import bare_state, own_state, with_weight_norms

LAYER = "hifigan_decoder.waveform_decoder.ups.0"


def with_constants(**tensors: Tensor) -> dict[str, Tensor]:
    return {**published_constants(), **tensors}


@pytest.fixture
def normed() -> tuple[dict[str, Tensor], Tensor]:
    """Both parts of a weight norm, and the weight that torch makes of them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = weight_norm(nn.ConvTranspose1d(6, 4, 5))
        layer.parametrizations.weight.original0.data.uniform_(0.5, 2)
    parts = {"length": layer.parametrizations.weight.original0, "direction": layer.parametrizations.weight.original1}
    return {name: part.detach() for name, part in parts.items()}, layer.weight.detach()


@pytest.mark.parametrize(
    ("length", "direction"),
    [("parametrizations.weight.original0", "parametrizations.weight.original1"), ("weight_g", "weight_v")],
)
def test_a_weight_norm_in_either_spelling_becomes_the_weight_that_torch_makes_of_it(normed, length, direction):
    parts, weight = normed
    found = own_state(
        with_constants(**{f"{LAYER}.{length}": parts["length"], f"{LAYER}.{direction}": parts["direction"]})
    )
    assert list(found) == [f"{LAYER}.weight"]
    torch.testing.assert_close(found[f"{LAYER}.weight"], weight, rtol=0, atol=1e-6)


def test_weights_that_are_written_with_norms_are_read_as_they_were(normed):
    weight = normed[1]
    state = {f"{LAYER}.weight": weight, "hifigan_decoder.waveform_decoder.conv_pre.weight": weight}
    written = with_weight_norms(state)
    assert f"{LAYER}.weight" not in written
    assert "hifigan_decoder.waveform_decoder.conv_pre.weight" in written  # the original has no norm there
    found = own_state({**published_constants(), **written})
    for key, tensor in state.items():
        torch.testing.assert_close(found[key], tensor, rtol=0, atol=1e-6)


def test_half_of_a_weight_norm_is_refused(normed):
    with pytest.raises(CheckpointRefused, match=f"half of the weight norm of {re.escape(LAYER)}"):
        own_state(with_constants(**{f"{LAYER}.weight_v": normed[0]["direction"]}))


def test_what_the_trainer_adds_is_taken_off():
    kept = torch.ones(2)
    found = bare_state(
        {
            "xtts.gpt.final_norm.bias": kept,
            "xtts.dvae.codebook.embed": torch.zeros(1),
            "dvae.decoder.0.weight": torch.zeros(1),
            "torch_mel_spectrogram_dvae.mel_stft.window": torch.zeros(1),
            "torch_mel_spectrogram_style_encoder.mel_stft.window": torch.zeros(1),
        }
    )
    assert list(found) == ["gpt.final_norm.bias"]
    assert found["gpt.final_norm.bias"] is kept


DOUBLES = {
    "gpt.gpt_inference.transformer.h.0.ln_1.weight": "gpt.gpt.h.0.ln_1.weight",
    "gpt.gpt_inference.transformer.wte.weight": "gpt.mel_embedding.weight",
    "gpt.gpt.wte.weight": "gpt.mel_embedding.weight",
    "gpt.gpt_inference.pos_embedding.emb.weight": "gpt.mel_pos_embedding.emb.weight",
    "gpt.gpt_inference.embeddings.weight": "gpt.mel_embedding.weight",
    "gpt.gpt_inference.final_norm.weight": "gpt.final_norm.weight",
    "gpt.gpt_inference.lm_head.0.weight": "gpt.final_norm.weight",
    "gpt.gpt_inference.lm_head.1.bias": "gpt.mel_head.bias",
}


def test_what_the_earliest_files_have_twice_is_taken_once():
    originals = {original: torch.rand(3) for original in DOUBLES.values()}
    doubles = {double: originals[original].clone() for double, original in DOUBLES.items()}
    assert bare_state({**originals, **doubles}) == originals


@pytest.mark.parametrize("double", DOUBLES)
def test_a_double_with_other_numbers_is_refused(double):
    with pytest.raises(CheckpointRefused, match="should be the same and are not"):
        bare_state({DOUBLES[double]: torch.zeros(3), double: torch.ones(3)})


def test_a_double_of_nothing_stays_for_the_strict_loading_to_name():
    assert list(bare_state({"gpt.gpt_inference.other.weight": torch.ones(1)})) == ["gpt.gpt_inference.other.weight"]


@pytest.mark.parametrize("key", published_constants())
def test_sound_processing_with_other_constants_is_refused(key):
    state = with_constants()
    state[key] = state[key] * 1.01
    with pytest.raises(CheckpointRefused, match="is not what XTTS-v2 hears voices with"):
        own_state(state)
    del state[key]
    with pytest.raises(CheckpointRefused, match=f"has no {re.escape(key)}"):
        own_state(state)
