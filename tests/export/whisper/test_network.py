"""What the served graphs compute beside the gate's whole windows, and what the published names stand for."""

import numpy as np
import pytest
import torch
import transformers
import whisper

from export.errors import KeysMismatch
from export.whisper.family import FAMILY
from export.whisper.names import of_openai, to_openai, untied
from export.whisper.settings import SIZES, config_of, dims_of, settings_of_config, settings_of_dims
from export.whisper.sounds import samples


def test_a_shorter_window_is_what_a_network_of_fewer_positions_hears(whisper_folder, whisper_run):
    """Half the frames: the reference's positions are cut off to half."""
    settings = SIZES["reduced"]
    mel = samples(settings, np.random.default_rng(1), 2)["mel"][:, :, : settings.frames // 2]
    model = transformers.WhisperForConditionalGeneration.from_pretrained(whisper_folder, dtype=torch.float32).eval()
    encoder = model.model.encoder
    encoder.embed_positions = torch.nn.Embedding.from_pretrained(encoder.embed_positions.weight[:250])
    encoder.config.max_source_positions = 250
    with torch.no_grad():
        hidden = encoder(torch.from_numpy(mel)).last_hidden_state
        key = model.model.decoder.layers[1].encoder_attn.k_proj(hidden)
    got = whisper_run["encoder"]({"mel": np.ascontiguousarray(mel)})["cross_key_1"]
    assert got.shape == (2, 2, 250, 32)
    np.testing.assert_allclose(got.transpose(0, 2, 1, 3).reshape(2, 250, 64), key.numpy(), atol=1e-4)


def test_the_published_libraries_take_random_weights_for_their_own(whisper_folder, whisper_file):
    _, report = transformers.WhisperForConditionalGeneration.from_pretrained(whisper_folder, output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    model = whisper.load_model(str(whisper_file), device="cpu")
    assert (model.is_multilingual, model.dims.n_text_layer) == (False, 2)


def test_names_lead_from_one_format_to_the_other_and_back(whisper_folder):
    state = FAMILY.read(whisper_folder).state
    theirs = to_openai(state)
    assert {"encoder.blocks.1.attn.query.weight", "decoder.positional_embedding", "decoder.ln.bias"} <= theirs.keys()
    assert of_openai(theirs).keys() == state.keys()
    assert of_openai({"decoder.blocks.0.gate.weight": torch.zeros(1)}).keys() == {"decoder.blocks.0.gate.weight"}
    with pytest.raises(KeyError):
        to_openai({"model.decoder.gate.weight": torch.zeros(1)})


def test_folders_may_repeat_the_embedding_as_the_weights_of_the_logits(whisper_folder):
    state = dict(FAMILY.read(whisper_folder).state)
    embedding = state["model.decoder.embed_tokens.weight"]
    assert untied(state | {"proj_out.weight": embedding.clone()}).keys() == state.keys()
    with pytest.raises(KeysMismatch, match="which Whisper takes for its logits"):
        untied(state | {"proj_out.weight": embedding + 1})


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_the_same_in_both_formats(size):
    settings = SIZES[size]
    assert settings_of_dims(dims_of(settings)) == settings
    assert settings_of_config(config_of(settings)) == settings


def test_the_published_sizes_have_the_published_numbers_of_parameters():
    """Paper, table 1, and the model cards, in millions."""
    published = {"tiny": 39, "base": 74, "small": 244, "medium": 769, "large-v3": 1550, "large-v3-turbo": 809}
    from export.whisper.network import Whisper

    for size, millions in published.items():
        with torch.device("meta"):
            count = sum(each.numel() for each in Whisper(SIZES[size]).parameters())
        assert round(count / 1e6) == pytest.approx(millions, rel=0.04)


def test_same_seed_same_weights(tmp_path):
    from export.whisper.synth import random_state

    first, again, other = (random_state(SIZES["reduced"], seed) for seed in (1, 1, 2))
    name = "model.decoder.layers.1.encoder_attn.v_proj.weight"
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first[name], other[name])
