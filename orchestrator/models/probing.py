"""Asks a version what it was asked when it was made, and holds the answer against what it answered then."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from client.config_file import ConfigTensor, read_config_file
from client.errors import ContractViolation
from client.sample import EQUAL, Arrays, Check, Sample, differences, read_sample, write_sample
from client.warmups import warmup_inputs

BY_SAMPLE = "its recorded sample"
BY_WARMUP = "its warm-up, against its config"
BY_LOADING = "loading alone: it has neither sample nor warm-up"


class AnswersSamples(Protocol):
    """client/repository.py's ModelRepository."""

    def answer(self, model: str, version: int, inputs: Arrays, *, timeout_s: float) -> Arrays:
        """Run one inference on exactly this version."""
        ...


def probe(triton: AnswersSamples, asked: str, folder: Path, *, timeout_s: float) -> str:
    """Check the version that lies in `folder` and is served as the model `asked`; return what it was checked by.

    Raises:
        EngineError: it does not answer (a fault, a refusal, too late).
        ContractViolation: the answer is not as recorded, not as its config says, or not finite.
    """
    model_folder, version = folder.parent, int(folder.name)
    sample = read_sample(folder, asked)
    inputs = sample.inputs if sample is not None else warmup_inputs(model_folder)
    if inputs is None:
        return BY_LOADING
    answer = triton.answer(asked, version, inputs, timeout_s=timeout_s)
    wrong = _against_config(model_folder, answer)
    wrong += differences(sample, answer) if sample is not None else _not_finite(answer)
    if wrong:
        raise ContractViolation(asked, "; ".join(dict.fromkeys(wrong)))
    return BY_SAMPLE if sample is not None else BY_WARMUP


def record(triton: AnswersSamples, folder: Path, *, timeout_s: float) -> Sample:
    """Have the served version in `folder` answer, and write that down as its sample: for versions without an exporter.

    It is asked what its sample asked before, or its warm-up where it has none yet. Raises EngineError;
    ContractViolation: it has neither, or the answer is not as its config says.
    """
    model = folder.parent.name
    known = read_sample(folder, model)
    inputs = known.inputs if known is not None else warmup_inputs(folder.parent)
    if inputs is None:
        raise ContractViolation(model, "it has neither a sample nor a warm-up to be asked")
    answer = triton.answer(model, int(folder.name), inputs, timeout_s=timeout_s)
    wrong = _against_config(folder.parent, answer) + _not_finite(answer)
    if wrong:
        raise ContractViolation(model, "; ".join(wrong))
    known_checks = known.checks if known is not None else {}
    checks = {name: known_checks.get(name, _usual_check(array)) for name, array in answer.items()}
    sample = Sample(inputs, answer, checks)
    write_sample(folder, sample)
    return sample


def _usual_check(array: NDArray[Any]) -> Check:
    """Bytes are pictures, floats are measures of something; both differ a little from processor to processor."""
    if array.dtype == np.uint8:
        return Check("near", (3.0,))
    return Check("near", (0.05,)) if array.dtype.kind == "f" else EQUAL


def _against_config(model_folder: Path, answer: Arrays) -> list[str]:
    config = read_config_file(model_folder / "config.pbtxt")
    found = (_misfit(tensor, answer, batched=config.max_batch_size > 0) for tensor in config.outputs)
    return [each for each in found if each]


def _misfit(tensor: ConfigTensor, answer: Arrays, *, batched: bool) -> str:
    if tensor.name not in answer:
        return f"output {tensor.name} is missing"
    sizes = answer[tensor.name].shape[batched:]
    if _fit(tensor.dims, sizes):
        return ""
    return f"output {tensor.name} has the sizes {list(sizes)}, its config says {list(tensor.dims)}"


def _fit(dims: Sequence[int], sizes: Sequence[int]) -> bool:
    return len(dims) == len(sizes) and all(want in (-1, have) for want, have in zip(dims, sizes, strict=True))


def _not_finite(answer: Arrays) -> list[str]:
    return [
        f"output {name} holds NaN or infinity"
        for name, array in answer.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    ]
