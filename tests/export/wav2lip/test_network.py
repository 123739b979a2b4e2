import pytest
import torch

from export.wav2lip.network import PUBLISHED_UNIT, Wav2Lip

BLOCKS = {
    "face_encoder_blocks": [1, 3, 4, 3, 3, 2, 2],
    "face_decoder_blocks": [1, 2, 3, 3, 3, 3, 3],
}
"""Layers of each stage in the published checkpoints."""


def published_keys() -> set[str]:
    layers = [
        f"{name}.{i}.{j}" for name, counts in BLOCKS.items() for i, count in enumerate(counts) for j in range(count)
    ]
    layers += [f"audio_encoder.{index}" for index in range(13)] + ["output_block.0"]
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    keys = {f"{layer}.conv_block.0.{part}" for layer in layers for part in ("weight", "bias")}
    keys |= {f"{layer}.conv_block.1.{part}" for layer in layers for part in norm}
    return keys | {"output_block.1.weight", "output_block.1.bias"}


def test_the_keys_are_those_of_the_published_checkpoints():
    assert Wav2Lip(1).state_dict().keys() == published_keys()


def test_the_published_width_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = Wav2Lip(PUBLISHED_UNIT)
    assert sum(parameter.numel() for parameter in network.parameters()) == 36_298_035
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes["face_encoder_blocks.0.0.conv_block.0.weight"] == (16, 6, 7, 7)
    assert shapes["audio_encoder.11.conv_block.0.weight"] == (512, 256, 3, 3)
    assert shapes["face_decoder_blocks.3.0.conv_block.0.weight"] == (768, 384, 3, 3)  # transposed: inputs first
    assert shapes["face_decoder_blocks.6.0.conv_block.0.weight"] == (160, 64, 3, 3)
    assert shapes["output_block.0.conv_block.0.weight"] == (32, 80, 3, 3)


@pytest.mark.parametrize("unit", [1, 3])
def test_pictures_come_out_at_every_width(unit):
    network = Wav2Lip(unit).eval()
    with torch.no_grad():
        moved = network(torch.zeros(2, 1, 80, 16), torch.zeros(2, 6, 96, 96))
    assert moved.shape == (2, 3, 96, 96)
    assert 0 <= moved.min() <= moved.max() <= 1


def test_the_stages_of_the_encoder_have_the_papers_sizes():
    network = Wav2Lip(1).eval()
    x, sizes = torch.zeros(1, 6, 96, 96), []
    with torch.no_grad():
        for block in network.face_encoder_blocks:
            x = block(x)
            sizes.append(x.shape[-1])
        assert network.audio_encoder(torch.zeros(1, 1, 80, 16)).shape == (1, 32, 1, 1)
    assert sizes == [96, 48, 24, 12, 6, 3, 1]
