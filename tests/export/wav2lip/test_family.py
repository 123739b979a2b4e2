import numpy as np
import pytest
import torch
from torch import nn

from export.errors import KeysMismatch
from export.parity import check_parity
from export.wav2lip.family import FAMILY

WIDTH = 0.125


@pytest.fixture(scope="module")
def state():
    return {key.removeprefix("module."): tensor for key, tensor in FAMILY.synth(3, WIDTH)["state_dict"].items()}


@pytest.fixture(scope="module")
def network(state):
    return FAMILY.load(state)


@pytest.fixture(scope="module")
def run(network):
    graph = FAMILY.graph(network)

    def run(inputs):
        with torch.no_grad():
            moved, floats = graph(torch.from_numpy(inputs["FACES"]), torch.from_numpy(inputs["MEL"]))
        return {"MOVED": moved.numpy(), "MOVED_FLOAT": floats.numpy()}

    return run


def samples(batch: int = 2) -> dict[str, np.ndarray]:
    return dict(FAMILY.samples(np.random.default_rng(8), batch))


def test_the_served_graph_computes_what_the_published_code_computes(network, run):
    figures = check_parity(FAMILY, network, run, "fp32", seed=2).figures
    assert [figure.tensor for figure in figures] == ["MOVED", "MOVED_FLOAT"]


def test_no_batch_norm_is_left_in_the_served_graph(network):
    assert not any(isinstance(module, nn.BatchNorm2d) for module in FAMILY.graph(network).modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())  # the original is untouched


def test_bytes_are_the_floats_cut_off(run):
    outputs = run(samples())
    np.testing.assert_array_equal(outputs["MOVED"], (outputs["MOVED_FLOAT"] * np.float32(255)).astype(np.uint8))


@pytest.mark.parametrize("tensor", ["FACES", "MEL"])
def test_every_input_moves_the_picture(run, tensor):
    other = samples()
    other[tensor] = other[tensor][::-1].copy()
    assert np.abs(run(samples())["MOVED_FLOAT"] - run(other)["MOVED_FLOAT"]).mean() > 0.002


def test_the_masked_copy_never_shows_the_lower_half(network, run):
    """With the reference's weights at zero, only the masked copy is left: the lower half must not matter."""
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    state["face_encoder_blocks.0.0.conv_block.0.weight"][:, 3:] = 0
    graph = FAMILY.graph(FAMILY.load(state))
    faces = samples()["FACES"]
    other = faces.copy()
    other[:, 48:] = 255 - other[:, 48:]
    mel = torch.from_numpy(samples()["MEL"])
    with torch.no_grad():
        first, second = (graph(torch.from_numpy(each), mel)[1] for each in (faces, other))
    assert torch.equal(first, second)


def test_red_and_blue_are_not_the_same_to_the_network(network):
    swapped = samples()
    swapped["FACES"] = np.ascontiguousarray(swapped["FACES"][..., ::-1])
    first, second = (FAMILY.reference(network, each)["MOVED_FLOAT"] for each in (samples(), swapped))
    assert np.abs(first - second).mean() > 0.002


def test_a_random_checkpoint_is_nested_as_the_published_ones_and_the_seeds_alone(state):
    content = FAMILY.synth(3, WIDTH)
    assert content.keys() == {"state_dict", "optimizer", "global_step", "global_epoch"}
    assert all(key.startswith("module.") for key in content["state_dict"])
    assert all(torch.equal(content["state_dict"][f"module.{key}"], tensor) for key, tensor in state.items())
    other = FAMILY.synth(4, WIDTH)["state_dict"]
    assert not torch.equal(other["module.output_block.1.weight"], state["output_block.1.weight"])


def test_random_pictures_have_contrast_and_few_values_at_the_ends(network):
    moved = FAMILY.reference(network, samples(4))["MOVED"]
    assert 15 < moved.std(axis=(1, 2)).mean() < 60
    assert ((moved < 5) | (moved > 250)).mean() < 0.02


@pytest.mark.parametrize("width", [0.01, 1.5])
def test_widths_that_the_network_cannot_have_are_refused(width):
    with pytest.raises(ValueError, match=r"width must be 1/16\.\.1"):
        FAMILY.synth(1, width)


def test_the_width_is_read_from_the_tensors_and_what_does_not_fit_is_named(state):
    assert FAMILY.load(state).output_block[1].weight.shape == (3, 4, 1, 1)
    missing = {key: tensor for key, tensor in state.items() if key != "audio_encoder.12.conv_block.1.bias"}
    with pytest.raises(KeysMismatch, match=r"1 key\(s\) missing: audio_encoder\.12\.conv_block\.1\.bias"):
        FAMILY.load(missing)
    with pytest.raises(KeysMismatch, match="352 key"):
        FAMILY.load({"conv1_1.weight": torch.zeros(64, 3, 3, 3)})
    for shape in ((2, 6, 3, 3), (0, 6, 7, 7), (5000, 6, 7, 7), (2,)):
        with pytest.raises(KeysMismatch, match="of other shapes"):
            FAMILY.load(state | {"face_encoder_blocks.0.0.conv_block.0.weight": torch.zeros(shape)})
