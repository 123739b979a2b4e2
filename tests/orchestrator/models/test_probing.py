import numpy as np
import pytest

from client.errors import ContractViolation
from client.sample import EQUAL, Check, read_sample
from orchestrator.models.probing import BY_LOADING, BY_WARMUP, probe, record

WARMUP = """
model_warmup [
  { name: "w" batch_size: 1 inputs [ { key: "X" value { data_type: TYPE_FP32 dims: [ 2 ] zero_data: true } } ] }
]
"""


class Answers:
    """Answers anything with the same."""

    def __init__(self, **outputs):
        self.outputs = outputs
        self.asked = []

    def answer(self, model, version, inputs, *, timeout_s):
        self.asked.append((model, version, {name: array.shape for name, array in inputs.items()}))
        return self.outputs


@pytest.fixture
def bare(root):
    """A version without a sample, of a model with a warm-up."""
    config = root / "m" / "config.pbtxt"
    config.write_text(config.read_text() + 'output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]\n' + WARMUP)
    folder = root / "m" / "4"
    folder.mkdir()
    return folder


def answers(y=(1.0, 2.0)):
    return Answers(TEXT=np.array([["hello"]]), Y=np.array([y], np.float32))


def test_a_version_without_a_sample_is_asked_its_warm_up(bare):
    triton = answers()
    assert probe(triton, "m", bare, timeout_s=1.0) == BY_WARMUP
    assert triton.asked == [("m", 4, {"X": (1, 2)})]


def test_even_without_a_sample_an_answer_must_be_finite(bare):
    with pytest.raises(ContractViolation, match="output Y holds NaN or infinity"):
        probe(answers((1.0, np.nan)), "m", bare, timeout_s=1.0)


def test_a_model_that_nobody_can_ask_is_only_loaded(root):
    folder = root / "around" / "1"
    assert probe(answers(), "around", folder, timeout_s=1.0) == BY_LOADING


def test_a_recorded_answer_is_what_the_version_is_held_against_from_then_on(bare):
    record(answers(), bare, timeout_s=1.0)
    assert read_sample(bare, "m").checks == {"TEXT": EQUAL, "Y": Check("near", (0.05,))}
    probe(answers((1.01, 2.0)), "m", bare, timeout_s=1.0)
    with pytest.raises(ContractViolation, match=r"up to 0\.5 off"):
        probe(answers((1.5, 2.0)), "m", bare, timeout_s=1.0)
    record(answers((1.5, 2.0)), bare, timeout_s=1.0)
    probe(answers((1.5, 2.0)), "m", bare, timeout_s=1.0)


def test_nonsense_is_not_recorded(bare):
    with pytest.raises(ContractViolation):
        record(answers((np.inf, 0.0)), bare, timeout_s=1.0)
    assert read_sample(bare, "m") is None


def test_what_cannot_be_asked_cannot_be_recorded(root):
    with pytest.raises(ContractViolation, match="neither a sample nor a warm-up"):
        record(answers(), root / "around" / "1", timeout_s=1.0)
