"""Published keys load strictly, whichever of their names a file has."""

import pytest
import torch
from transformers import MarianConfig, MarianMTModel

from export.errors import KeysMismatch
from export.marian.family import FAMILY
from export.marian.network import BIAS, POSITIONS, SHARED, Marian, sinusoids


def loaded(path) -> Marian:
    network = FAMILY.load(FAMILY.read(path))
    assert isinstance(network, Marian)
    return network


@pytest.mark.parametrize(("positions", "width"), [(512, 512), (7, 6), (9, 5)])
def test_positions_are_those_of_the_reference_library(positions, width):
    config = MarianConfig(
        d_model=width, max_position_embeddings=positions, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=1, decoder_attention_heads=1, encoder_ffn_dim=4, decoder_ffn_dim=4,
        vocab_size=8, pad_token_id=7, decoder_start_token_id=7,
    )  # fmt: skip
    expected = MarianMTModel(config).model.encoder.embed_positions.weight
    assert torch.equal(sinusoids(positions, width), expected)


def test_older_files_hold_the_embedding_under_four_names_and_the_positions(published, edited):
    shared = published.state[SHARED]
    aliases = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
    tensors = {name: shared.clone() for name in aliases}
    tensors |= {name: sinusoids(128, 64) for name in POSITIONS}
    older, newer = loaded(edited(tensors=tensors)).state_dict(), FAMILY.load(published).state_dict()
    assert older.keys() == newer.keys()
    assert all(torch.equal(older[name], newer[name]) for name in newer)


def test_the_older_file_format_holds_the_same(published, edited):
    path = edited()
    (path / "model.safetensors").unlink()
    torch.save(dict(published.state), path / "pytorch_model.bin")
    older, newer = loaded(path).state_dict(), FAMILY.load(published).state_dict()
    assert all(torch.equal(older[name], newer[name]) for name in newer)


def test_a_file_may_name_the_embedding_by_an_alias_alone(published, edited):
    shared = published.state[SHARED]
    path = edited(tensors={SHARED: None, "model.decoder.embed_tokens.weight": shared.clone()})
    assert torch.equal(loaded(path).model.shared.weight, shared)


def test_positions_of_the_file_go_before_computed_ones(edited):
    path = edited(tensors={POSITIONS[0]: torch.ones(128, 64)})
    assert torch.equal(loaded(path).model.encoder.embed_positions.weight, torch.ones(128, 64))


def test_a_missing_bias_is_zero(edited):
    assert not loaded(edited(tensors={BIAS: None})).final_logits_bias.any()


def test_two_different_embeddings_are_refused(published, edited):
    path = edited(tensors={"lm_head.weight": published.state[SHARED] + 1})
    with pytest.raises(KeysMismatch, match=r"lm_head\.weight differs from model\.shared\.weight"):
        loaded(path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"model.encoder.layers.0.fc1.bias": None}, r"1 key\(s\) missing: model\.encoder\.layers\.0\.fc1\.bias"),
        ({"model.pooler.weight": torch.zeros(2)}, r"1 key\(s\) not of this family: model\.pooler\.weight"),
        ({"model.encoder.layers.0.fc1.bias": torch.zeros(3)}, r"of other shapes: .*fc1\.bias \[3\] instead of \[128\]"),
        ({SHARED: None}, r"missing: model\.shared\.weight"),
    ],
)
def test_wrong_tensors_are_named(edited, tensors, message):
    with pytest.raises(KeysMismatch, match=message):
        loaded(edited(tensors=tensors))
