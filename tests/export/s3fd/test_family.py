import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from client.config_file import read_config_file
from export.errors import KeysMismatch, ParityMissed
from export.onnx_file import trace
from export.parity import check_parity
from export.precision import precision
from export.s3fd import boxes
from export.s3fd.family import BOXES, FAMILY, OFFSETS, PROBABILITY
from export.signature import check_config

REPOSITORY = Path(__file__).parents[3] / "model_repository"
WIDTH = 0.125


@pytest.fixture(scope="module")
def network():
    return FAMILY.load(FAMILY.synth(3, WIDTH))


@pytest.fixture(scope="module")
def run(network):
    served = FAMILY.graph(network)

    def run(inputs):
        with torch.no_grad():
            outputs = served(torch.from_numpy(inputs["FRAMES"]))
        return {tensor.name: found.numpy() for tensor, found in zip(FAMILY.signature.outputs, outputs, strict=True)}

    return run


def test_the_served_graph_computes_what_the_published_code_computes(network, run):
    parity = check_parity(FAMILY, network, run, "fp32", seed=5)
    assert [figure.tensor for figure in parity.figures] == [PROBABILITY, OFFSETS, BOXES]
    json.dumps(parity.as_json())


@pytest.mark.parametrize(
    ("value", "difference", "named"), [(0, 0.002, PROBABILITY), (1, 0.002, OFFSETS), (4, 0.002, OFFSETS)]
)
def test_a_graph_that_is_a_little_off_on_one_level_is_refused(network, run, value, difference, named):
    def off(inputs):
        outputs = {name: array.copy() for name, array in run(inputs).items()}
        outputs["LEVEL_64"][..., value] += difference
        return outputs

    with pytest.raises(ParityMissed, match=f"{named}: max abs 0.002"):
        check_parity(FAMILY, network, off, "fp32", seed=5)


def test_a_reduced_precision_may_move_probabilities_and_boxes_a_little_and_no_more(network, run):
    def moved(by):
        return lambda inputs: {name: array + np.float32(by) for name, array in run(inputs).items()}

    check_parity(FAMILY, network, moved([0.04, 0.05, 0, 0.05, 0]), "bf16", seed=5)
    with pytest.raises(ParityMissed, match=r"probability: max abs 0\.06 "):
        check_parity(FAMILY, network, moved([0.06, 0, 0, 0, 0]), "bf16", seed=5)
    with pytest.raises(ParityMissed, match=r"boxes: max abs 0\.\d+ \(limit 0.05\)"):
        check_parity(FAMILY, network, moved([0, 0.3, 0, 0, 0]), "bf16", seed=5)


def test_red_and_blue_are_not_the_same_to_the_network(network):
    inputs = FAMILY.samples(np.random.default_rng(0), 1)
    swapped = {"FRAMES": np.ascontiguousarray(inputs["FRAMES"][..., ::-1])}
    found, other = FAMILY.reference(network, inputs), FAMILY.reference(network, swapped)
    assert np.abs(found["LEVEL_4"] - other["LEVEL_4"]).max() > 0.1


def test_a_picture_without_any_feature_gives_numbers_in_the_exported_graph_too(tmp_path):
    state = FAMILY.synth(3, WIDTH)
    for name in ("conv3_3.weight", "conv3_3.bias"):
        state[name].zero_()
    network = FAMILY.load(state)
    trace(FAMILY, FAMILY.graph(network), tmp_path / "model.onnx")
    black = {"FRAMES": np.zeros((1, 64, 96, 3), np.uint8)}
    found = precision("fp32").open(tmp_path)(black)
    for name, expected in FAMILY.reference(network, black).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-4)


def test_a_random_checkpoint_is_the_seeds_alone_and_says_face_here_and_there(network):
    first, again, other = FAMILY.synth(3, WIDTH), FAMILY.synth(3, WIDTH), FAMILY.synth(4, WIDTH)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1_1.weight"], other["conv1_1.weight"])
    outputs = FAMILY.reference(network, FAMILY.samples(np.random.default_rng(0), 4))
    probability = np.concatenate([array[..., 0].ravel() for array in outputs.values()])
    assert 0.0005 < (probability > 0.5).mean() < 0.1
    assert probability.std() > 0.03
    offsets = np.concatenate([array[..., 1:].ravel() for array in outputs.values()])
    assert 0.3 < offsets.std() < 3


def test_the_full_size_is_the_published_one():
    state = FAMILY.synth(0, 1.0)
    assert state["fc6.weight"].shape == (1024, 512, 3, 3)
    assert sum(tensor.numel() for tensor in state.values()) == 22_459_110


def test_keys_of_another_network_are_refused():
    state = FAMILY.synth(0, WIDTH)
    del state["fc7.bias"]
    with pytest.raises(KeysMismatch, match=r"1 key\(s\) missing: fc7.bias"):
        FAMILY.load(state)
    with pytest.raises(KeysMismatch, match=r"missing: conv1_1\.weight, conv1_1\.bias, conv1_2\.weight"):
        FAMILY.load({"features.0.weight": torch.zeros(64, 3, 3, 3)})
    state = FAMILY.synth(0, WIDTH) | {"conv1_1.weight": torch.zeros(9, 3, 3, 3)}
    with pytest.raises(KeysMismatch, match="of other shapes"):
        FAMILY.load(state)


def test_the_triton_configs_promise_the_same_tensors():
    check_config(read_config_file(REPOSITORY / "s3fd" / "config.pbtxt"), FAMILY.signature)
    boxes_config = read_config_file(REPOSITORY / "s3fd_boxes" / "config.pbtxt")
    engine = read_config_file(REPOSITORY / "faces_s3fd" / "config.pbtxt")
    sizes = {(each.name, each.triton_dims) for each in FAMILY.signature.outputs}
    assert {(each.name, each.dims) for each in boxes_config.inputs} == sizes
    assert [each.name for each in engine.inputs] == [each.name for each in FAMILY.signature.inputs]
    assert engine.outputs == boxes_config.outputs


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_lost_overlap_is_nothing_of_equal_boxes_and_counts_faces_only(dx, dy, dw, dh):
    one = np.array([[0.9, dx, dy, dw, dh], [0.4, 0, 0, 0, 0]], np.float32)
    assert boxes.lost_overlap(one, one) == 0
    moved = one + np.array([[0, 0, 0, 0, 0], [0, 100, 0, 0, 0]], np.float32)
    assert boxes.lost_overlap(one, moved) == 0
    assert boxes.lost_overlap(moved[::-1], one[::-1]) == 0


def test_lost_overlap_of_a_box_moved_by_half_its_width_is_two_thirds():
    one = np.array([[0.6, 0, 0, 0, 0]], np.float32)
    assert boxes.lost_overlap(one, one + np.array([0, 5, 0, 0, 0], np.float32)) == pytest.approx(2 / 3)
