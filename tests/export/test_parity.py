import json
from dataclasses import replace

import numpy as np
import pytest

from export.checkpoint import load_strict
from export.errors import NotFinite, ParityMissed, SignatureMismatch
from export.parity import REDUCED_PICTURE, Figure, check_parity
from tests.fakes.tiny_family import FAMILY, PICTURE


@pytest.fixture(scope="module")
def original():
    state = FAMILY.synth(1, 1.0)["state_dict"]
    return FAMILY.load({key.removeprefix("module."): tensor for key, tensor in state.items()})


def candidate(original, change=lambda outputs: outputs):
    return lambda inputs: change({name: array.copy() for name, array in FAMILY.reference(original, inputs).items()})


def test_the_same_numbers_pass_and_are_recorded(original):
    parity = check_parity(FAMILY, original, candidate(original), "fp32", seed=5)
    assert [(figure.tensor, figure.max_abs) for figure in parity.figures] == [("MOVED", 0), ("MOVED_FLOAT", 0)]
    recorded = json.loads(json.dumps(parity.as_json()))
    assert (recorded["seed"], recorded["batch_sizes"]) == (5, [1, 3])
    assert recorded["figures"][1]["limit"]["max_abs"] == 1e-4


def test_a_served_file_is_compared_without_the_probes(original):
    def served(inputs):
        return {"MOVED": FAMILY.reference(original, inputs)["MOVED"]}

    parity = check_parity(FAMILY, original, served, "fp32", seed=5, probes=False)
    assert [figure.tensor for figure in parity.figures] == ["MOVED"]
    with pytest.raises(SignatureMismatch, match="MOVED_FLOAT is missing"):
        check_parity(FAMILY, original, served, "fp32", seed=5)


def test_fp32_is_held_to_a_ten_thousandth_of_the_float_output(original):
    def off(by):
        def change(outputs):
            outputs["MOVED_FLOAT"][0, 0, 0, 0] += by
            return outputs

        return candidate(original, change)

    check_parity(FAMILY, original, off(0.9e-4), "fp32", seed=5)
    with pytest.raises(ParityMissed, match=r"tiny fp32: .*MOVED_FLOAT: max abs 0\.00011 \(limit 0\.0001\)"):
        check_parity(FAMILY, original, off(1.1e-4), "fp32", seed=5)


def test_reduced_precisions_are_held_to_three_grey_levels(original):
    def brighter(by):
        def change(outputs):
            outputs["MOVED"] = (outputs["MOVED"].astype(int) + by).clip(0, 255).astype(np.uint8)
            return outputs

        return candidate(original, change)

    check_parity(FAMILY, original, brighter(3), "fp16", seed=5)
    with pytest.raises(ParityMissed, match=r"MOVED: max abs 4 \(limit 3\)"):
        check_parity(FAMILY, original, brighter(4), "fp16", seed=5)


def test_a_picture_of_another_structure_misses_however_small_the_difference():
    figure = Figure("MOVED", max_abs=3, batch_abs=0, ssim=0.94, limit=REDUCED_PICTURE)
    assert not figure.fits
    assert replace(figure, ssim=0.96).fits
    assert not replace(figure, ssim=None).fits


def test_an_item_that_changes_with_its_neighbours_is_refused(original):
    def leaky(inputs):
        outputs = FAMILY.reference(original, inputs)
        leak = np.float32(0.001) * (len(inputs["PICTURES"]) - 1)
        return outputs | {"MOVED_FLOAT": outputs["MOVED_FLOAT"] + leak}

    with pytest.raises(ParityMissed, match=r"MOVED_FLOAT: .*batch against singles 0\.002 \(limit 0\.0001\)"):
        check_parity(FAMILY, original, leaky, "fp32", seed=5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_are_refused(original, value):
    def broken(outputs):
        outputs["MOVED_FLOAT"][0, 1, 2, 0] = value
        return outputs

    with pytest.raises(NotFinite, match=r"outputs of the exported graph: .* MOVED_FLOAT"):
        check_parity(FAMILY, original, candidate(original, broken), "fp32", seed=5)


def test_an_original_that_gives_no_numbers_is_refused(original):
    state = {key: tensor.clone() for key, tensor in original.state_dict().items()}
    state["1.running_var"].fill_(-1)
    with pytest.raises(NotFinite, match="the original"):
        check_parity(FAMILY, load_strict(FAMILY.load(state), state), candidate(original), "fp32", seed=5)


@pytest.mark.parametrize(
    "change",
    [
        lambda outputs: outputs | {"MOVED": outputs["MOVED"][:, :-1]},
        lambda outputs: outputs | {"MOVED": outputs["MOVED"].astype(np.int32)},
        lambda outputs: outputs | {"MOVED": outputs["MOVED"][..., 0]},
    ],
    ids=["size", "type", "rank"],
)
def test_outputs_of_another_shape_or_type_are_refused(original, change):
    with pytest.raises(SignatureMismatch, match=rf"expected MOVED UINT8 \[{PICTURE[0]}, {PICTURE[1]}, 3\]"):
        check_parity(FAMILY, original, candidate(original, change), "fp32", seed=5)
