import shutil
from pathlib import Path

import numpy as np
import pytest

from client.errors import ContractViolation
from client.warmups import warmup_inputs

REPOSITORY = Path(__file__).parents[2] / "model_repository"


def test_zeros_have_the_batch_axis_of_a_batched_model():
    inputs = warmup_inputs(REPOSITORY / "lips_warp")
    assert {name: (array.shape, array.dtype.name) for name, array in inputs.items()} == {
        "FACES": ((1, 256, 256, 3), "uint8"),
        "MEL": ((1, 80, 16), "float32"),
    }


def test_files_are_read_as_sound_and_as_text():
    inputs = warmup_inputs(REPOSITORY / "stt_pocketsphinx")
    assert inputs["AUDIO"].shape == (28880,)
    assert 0.1 < np.abs(inputs["AUDIO"]).max() <= 1
    assert inputs["LANGUAGE"].tolist() == ["en"]


def test_an_ensemble_has_none():
    assert warmup_inputs(REPOSITORY / "sentence_boundary") is None


def test_a_missing_file_is_said(tmp_path):
    shutil.copy(REPOSITORY / "stt_pocketsphinx" / "config.pbtxt", tmp_path)
    with pytest.raises(ContractViolation, match="its warm-up cannot be read"):
        warmup_inputs(tmp_path)
