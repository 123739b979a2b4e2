"""A version's recorded sample: inputs, the outputs they gave when the version was made, and how near they must come.

Two small files in the version's folder, which Triton does not look at: sample.npz (the arrays, texts as Unicode) and
sample.json (how each output is compared). A swap runs the inputs again before the version gets to serve.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from client.errors import ContractViolation

ARRAYS_NAME = "sample.npz"
CHECKS_NAME = "sample.json"
SCHEMA = 1

_INPUT, _OUTPUT = "input.", "output."
_KINDS = ("equal", "near", "finite")

Arrays = Mapping[str, NDArray[Any]]
"""Tensors by name, the batch axis included; texts are Unicode arrays."""


@dataclass(frozen=True)
class Check:
    """How one output is compared."""

    kind: Literal["equal", "near", "finite"]
    """equal: every value. near: same shape, no value further off than `max_abs`. finite: same type and number of
    axes, not empty, no NaN or infinity; for outputs that are drawn or whose size is a matter of the weights."""
    max_abs: tuple[float | None, ...] = ()
    """One limit for all values, or one for each position of the last axis; None: any finite value."""

    def as_json(self) -> dict[str, object]:
        """For sample.json."""
        return {"kind": self.kind} | ({"max_abs": list(self.max_abs)} if self.kind == "near" else {})


EQUAL, FINITE = Check("equal"), Check("finite")


@dataclass(frozen=True)
class Sample:
    """What a version was asked and what it answered."""

    inputs: Arrays
    outputs: Arrays
    checks: Mapping[str, Check]
    """One for each output that is compared."""


def write_sample(folder: Path, sample: Sample) -> None:
    """Write both files; same arrays, same bytes."""
    arrays = {_INPUT + name: array for name, array in sample.inputs.items()}
    arrays |= {_OUTPUT + name: sample.outputs[name] for name in sample.checks}
    np.savez_compressed(folder / ARRAYS_NAME, allow_pickle=False, **arrays)
    checks = {"schema": SCHEMA, "outputs": {name: check.as_json() for name, check in sample.checks.items()}}
    (folder / CHECKS_NAME).write_text(json.dumps(checks, indent=2) + "\n", encoding="utf-8")


def read_sample(folder: Path, model: str) -> Sample | None:
    """Read a version's sample; None when it has none. ContractViolation: it is there, but damaged."""
    if not (folder / CHECKS_NAME).is_file() and not (folder / ARRAYS_NAME).is_file():
        return None
    try:
        stated = json.loads((folder / CHECKS_NAME).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS_NAME, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        checks = {name: _check(each) for name, each in stated["outputs"].items()}
        inputs = {name.removeprefix(_INPUT): array for name, array in arrays.items() if name.startswith(_INPUT)}
        outputs = {name: arrays[_OUTPUT + name] for name in checks}
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ContractViolation(model, f"the sample in {folder} cannot be read: {error}") from error
    return Sample(inputs, outputs, checks)


def differences(sample: Sample, got: Arrays) -> list[str]:
    """Say what of an answer is not as recorded; empty: it is the same within the version's own tolerance."""
    found = (_difference(name, check, sample.outputs[name], got.get(name)) for name, check in sample.checks.items())
    return [each for each in found if each]


def _check(stated: Mapping[str, Any]) -> Check:
    if stated["kind"] not in _KINDS:
        raise ValueError(f"a check is called {stated['kind']!r}")
    return Check(stated["kind"], tuple(stated.get("max_abs", ())))


def _difference(name: str, check: Check, expected: NDArray[Any], got: NDArray[Any] | None) -> str:
    if got is None:
        return f"output {name} is missing"
    if got.dtype.kind != expected.dtype.kind or (got.dtype.kind != "U" and got.dtype != expected.dtype):
        return f"output {name} is {got.dtype}, recorded was {expected.dtype}"
    if got.dtype.kind == "f" and not np.isfinite(got).all():
        return f"output {name} holds NaN or infinity"
    if check.kind == "finite":
        fits = got.ndim == expected.ndim and got.size > 0
        return "" if fits else f"output {name} has shape {list(got.shape)}, recorded was {list(expected.shape)}"
    if got.shape != expected.shape:
        return f"output {name} has shape {list(got.shape)}, recorded was {list(expected.shape)}"
    if check.kind == "equal":
        same = np.array_equal(got, expected)
        return "" if same else f"output {name} is {_shown(got)}, recorded was {_shown(expected)}"
    return _distance(name, check.max_abs, expected, got)


def _distance(name: str, limits: Sequence[float | None], expected: NDArray[Any], got: NDArray[Any]) -> str:
    allowed = np.array([np.inf if limit is None else limit for limit in limits], np.float64)
    off = np.abs(got.astype(np.float64) - expected.astype(np.float64))
    if not (off > allowed).any():
        return ""
    shown = " ".join("any" if limit is None else f"{limit:g}" for limit in limits)
    return f"output {name} is up to {float(off.max()):.3g} off what was recorded (allowed {shown})"


def _shown(array: NDArray[Any]) -> str:
    text = np.array2string(array.reshape(-1)[:4], threshold=4, separator=" ")
    return text if array.size <= 4 else f"{text} and {array.size - 4} more"
