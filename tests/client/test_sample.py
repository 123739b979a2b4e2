from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import ContractViolation
from client.sample import EQUAL, FINITE, Check, Sample, differences, read_sample, write_sample

OUTPUTS = {
    "TEXT": np.array(["¿qué tal?"]),
    "LEVEL": np.array([[0.5, 100.0], [0.25, -100.0]], np.float32),
    "SOUND": np.array([0.1, 0.2], np.float32),
}
SAMPLE = Sample(
    {"FRAMES": np.arange(6, dtype=np.uint8).reshape(1, 2, 3), "LANGUAGE": np.array(["es"])},
    OUTPUTS,
    {"TEXT": EQUAL, "LEVEL": Check("near", (0.05, None)), "SOUND": FINITE},
)


def changed(name: str, array: np.ndarray) -> list[str]:
    return differences(SAMPLE, {**OUTPUTS, name: array})


def test_a_sample_is_read_as_it_was_written(tmp_path):
    write_sample(tmp_path, SAMPLE)
    read = read_sample(tmp_path, "m")
    assert read.checks == SAMPLE.checks
    for found, written in ((read.inputs, SAMPLE.inputs), (read.outputs, SAMPLE.outputs)):
        assert found.keys() == written.keys()
        assert all(np.array_equal(found[name], written[name]) for name in written)
        assert all(found[name].dtype == written[name].dtype for name in written)


def test_a_version_may_have_no_sample(tmp_path):
    assert read_sample(tmp_path, "m") is None


@pytest.mark.parametrize("name", ["sample.npz", "sample.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"not it"])
def test_a_damaged_sample_is_an_error_and_not_no_sample(tmp_path: Path, name: str, content: bytes):
    write_sample(tmp_path, SAMPLE)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ContractViolation, match="the sample in"):
        read_sample(tmp_path, "m")


def test_half_a_sample_is_an_error(tmp_path):
    write_sample(tmp_path, SAMPLE)
    (tmp_path / "sample.npz").unlink()
    with pytest.raises(ContractViolation):
        read_sample(tmp_path, "m")


def test_the_recorded_answer_is_no_difference():
    assert differences(SAMPLE, OUTPUTS) == []


@given(st.floats(-0.05, 0.05), st.floats(-1e6, 1e6))
def test_each_column_has_its_own_limit(inside, anything):
    moved = OUTPUTS["LEVEL"].astype(np.float64) + np.array([inside * 0.99, anything])
    assert changed("LEVEL", moved.astype(np.float32)) == []


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("TEXT", np.array(["¿Qué tal?"]), "recorded was ['¿qué tal?']"),
        ("TEXT", np.array(["¿qué tal?", ""]), "has shape [2], recorded was [1]"),
        ("LEVEL", OUTPUTS["LEVEL"] + np.float32(0.1), "up to 0.1 off what was recorded (allowed 0.05 any)"),
        ("LEVEL", OUTPUTS["LEVEL"].astype(np.float64), "is float64, recorded was float32"),
        ("LEVEL", np.full((2, 2), np.nan, np.float32), "holds NaN or infinity"),
        ("LEVEL", OUTPUTS["LEVEL"][:, :1], "has shape [2, 1]"),
        ("SOUND", np.array([np.inf], np.float32), "holds NaN or infinity"),
        ("SOUND", np.array([], np.float32), "has shape [0]"),
        ("SOUND", np.zeros((1, 2), np.float32), "has shape [1, 2]"),
    ],
)
def test_what_differs_is_said(name, array, said):
    [difference] = changed(name, array)
    assert name in difference and said in difference


def test_sound_of_another_length_is_still_sound():
    assert changed("SOUND", np.zeros(7, np.float32)) == []


def test_a_missing_output_differs():
    assert differences(SAMPLE, {"TEXT": OUTPUTS["TEXT"], "SOUND": OUTPUTS["SOUND"]}) == ["output LEVEL is missing"]
