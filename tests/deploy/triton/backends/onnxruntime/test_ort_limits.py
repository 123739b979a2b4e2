import numpy as np
import pytest
from engine_kit.ort_options import BadConfig
from engine_kit.refusals import InvalidRequest
from ort_limits import check_limits, read_limits


def config(**parameters: str) -> dict:
    tensor = {"name": "X", "data_type": "TYPE_UINT8", "dims": [-1, -1, 3]}
    return {"input": [tensor], "parameters": {key: {"string_value": text} for key, text in parameters.items()}}


LIMITS = read_limits(config(**{"smallest.X": "32 16 3", "most_elements.X": "6000", "precision": "BF16"}))


def test_sizes_in_range_pass_whatever_the_batch():
    for batch in (1, 7):
        check_limits(LIMITS, {"X": np.zeros((batch, 32, 16, 3), np.uint8)}, batched=True)
        check_limits(LIMITS, {"X": np.zeros((batch, 40, 50, 3), np.uint8)}, batched=True)
    check_limits(LIMITS, {"X": np.zeros((32, 16, 3), np.uint8)}, batched=False)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, 31, 16, 3), "X is 31 x 16 x 3, at least 32 x 16 x 3 is served"),
        ((2, 400, 0, 3), "at least 32 x 16 x 3"),
        ((1, 41, 50, 3), "X is 41 x 50 x 3, more than 6000 elements"),
        ((0, 40, 50, 3), "X holds nothing"),
    ],
)
def test_sizes_out_of_range_are_refused_with_the_limit(shape, reason):
    with pytest.raises(InvalidRequest, match=reason):
        check_limits(LIMITS, {"X": np.zeros(shape, np.uint8)}, batched=True)


def test_inputs_without_limits_are_not_looked_at():
    check_limits(read_limits(config()), {"X": np.zeros((0, 1, 1, 3), np.uint8)}, batched=True)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("smallest.Y", "32 32 3"),
        ("smallest.X", "32 32"),
        ("smallest.X", ""),
        ("most_elements.X", "3 4"),
        ("most_elements.X", "0"),
        ("most_elements.X", "many"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_when_the_model_loads(key, text):
    with pytest.raises(BadConfig, match=key.split(".")[1]):
        read_limits(config(**{key: text}))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_input_that_must_be_finite_refuses_what_is_not(bad):
    limits = read_limits(config(**{"finite.X": "true"}))
    numbers = np.zeros((2, 4), np.float32)
    check_limits(limits, {"X": numbers}, batched=True)
    numbers[1, 3] = bad
    with pytest.raises(InvalidRequest, match="X holds NaN or infinity"):
        check_limits(limits, {"X": numbers}, batched=True)
    check_limits(read_limits(config()), {"X": numbers}, batched=True)


@pytest.mark.parametrize(("key", "text"), [("finite.Z", "true"), ("finite.X", "yes")])
def test_a_finite_that_is_none_fails_the_load(key, text):
    with pytest.raises(BadConfig, match=key):
        read_limits(config(**{key: text}))
