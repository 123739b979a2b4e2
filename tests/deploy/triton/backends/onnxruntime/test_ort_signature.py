from dataclasses import dataclass

import numpy as np
import pytest
from engine_kit.ort_options import BadConfig
from engine_kit.refusals import InvalidRequest
from ort_signature import agree, check_sizes


@dataclass
class Tensor:
    name: str
    type: str
    shape: list


def config(max_batch_size: int = 4, **changes: object) -> dict:
    tensor = {"name": "X", "data_type": "TYPE_FP32", "dims": [-1, 3]} | changes
    return {"max_batch_size": max_batch_size, "input": [tensor], "output": [tensor | {"name": "Y"}]}


def graph(name: str, *shape: int | str | None, kind: str = "tensor(float)") -> list[Tensor]:
    return [Tensor(name, kind, list(shape))]


def test_a_graph_that_fits_gives_the_signature() -> None:
    signature = agree(config(), graph("X", "batch", "n", 3), graph("Y", None, None, 3))
    assert signature.inputs == ("X",)
    assert signature.outputs == ("Y",)
    assert signature.batched


def test_a_reshape_is_what_the_graph_is_held_against() -> None:
    changes = {"dims": [1], "reshape": {"shape": []}}
    assert agree(config(**changes), graph("X", "batch"), graph("Y", "batch")).inputs == ("X",)


def test_dimensions_that_arrive_as_texts_are_numbers() -> None:
    assert agree(config(dims=["-1", "3"]), graph("X", "b", "n", 3), graph("Y", "b", "n", 3)).inputs == ("X",)


@pytest.mark.parametrize(
    ("inputs", "changes", "reason"),
    [
        (graph("X", "batch", "n", 4), {}, r"shape with the batch is \[-1, -1, 3\], the graph \[-1, -1, 4\]"),
        (graph("X", "batch", 3), {}, r"the graph \[-1, 3\]"),
        (graph("X", 1, "n", 3), {}, "needs a first dimension that varies"),
        (graph("X"), {}, "needs a first dimension that varies"),
        (graph("X", "b", "n", 3, kind="tensor(double)"), {}, r"the config says TYPE_FP32, the graph tensor\(double\)"),
        (graph("Z", "b", "n", 3), {}, "the graph has no input 'X'; it has Z"),
        (graph("X", "b", "n", 3) + graph("Z", "b"), {}, r"also wants the input\(s\) Z"),
        (graph("X", "b", "n", 3), {"data_type": "TYPE_BF16"}, "no tensors of TYPE_BF16"),
        (graph("X", "b", "n", 3), {"allow_ragged_batch": True}, "does not know allow_ragged_batch"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused_with_both_sides_named(inputs, changes: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        agree(config(**changes), inputs, graph("Y", "b", "n", 3))


def test_a_config_that_promises_more_than_the_graph_gives_is_refused() -> None:
    with pytest.raises(BadConfig, match="no output 'Y'"):
        agree(config(), graph("X", "b", "n", 3), graph("W", "b", "n", 3))


def test_an_initializer_may_stand_in_for_an_input_that_a_request_leaves_out() -> None:
    signature = agree(config(0), [], graph("Y", "n", 3), graph("X", "n", 3))
    check_sizes(signature, {})


def test_control_tensors_of_a_sequence_are_inputs_of_the_graph() -> None:
    control = {"name": "START", "control": [{"kind": "CONTROL_SEQUENCE_START", "fp32_false_true": [0, 1]}]}
    with_control = config() | {"sequence_batching": {"control_input": [control]}}
    inputs = graph("X", "b", "n", 3) + graph("START", "b", 1)
    assert agree(with_control, inputs, graph("Y", "b", "n", 3)).inputs == ("X", "START")


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((2, 5, 4), "X has size 4 in dimension 2, the graph wants 3"), ((2, 3), "X has 2 dimensions, the graph wants 3")],
)
def test_sizes_that_the_graph_cannot_take_are_refused(shape: tuple, reason: str) -> None:
    signature = agree(config(), graph("X", "b", "n", 3), graph("Y", "b", "n", 3))
    with pytest.raises(InvalidRequest, match=reason):
        check_sizes(signature, {"X": np.zeros(shape, np.float32)})


def test_a_missing_input_is_named() -> None:
    signature = agree(config(), graph("X", "b", "n", 3), graph("Y", "b", "n", 3))
    with pytest.raises(InvalidRequest, match="input X is missing"):
        check_sizes(signature, {})
