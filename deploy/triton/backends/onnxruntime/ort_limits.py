"""Refuses inputs that are out of range, before they cost anything or give a wrong answer. Needs nothing but numpy.

Parameters of config.pbtxt, sizes for one item of a batch; Triton's native backend ignores them:

    smallest.<input>      "32 32 3": the least size of each dimension
    most_elements.<input> "2764800": the greatest product of all
    finite.<input>        "true": NaN and infinity are refused
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from engine_kit.ort_options import BadConfig
from engine_kit.refusals import InvalidRequest
from numpy.typing import NDArray


@dataclass(frozen=True)
class Limits:
    """By input name."""

    smallest: Mapping[str, tuple[int, ...]]
    most_elements: Mapping[str, int]
    finite: frozenset[str] = frozenset()


def read_limits(config: Mapping[str, Any]) -> Limits:
    """Read the model configuration (JSON form); BadConfig when a limit is no limit of one of its inputs."""
    ranks = {tensor["name"]: len(tensor["dims"]) for tensor in config.get("input", [])}
    parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
    smallest = _of(parameters, "smallest.")
    most = _of(parameters, "most_elements.")
    for name, numbers in (*smallest.items(), *most.items()):
        if name not in ranks:
            raise BadConfig(f"a limit is set for {name}, which is no input")
        wanted = ranks[name] if numbers is smallest.get(name) else 1
        if len(numbers) != wanted:
            raise BadConfig(f"a limit of {name} must be {wanted} number(s), it is {numbers}")
    return Limits(smallest, {name: number for name, (number,) in most.items()}, _finite(parameters, ranks))


def check_limits(limits: Limits, tensors: Mapping[str, NDArray[Any]], *, batched: bool) -> None:
    """Refuse (InvalidRequest) what is out of range."""
    for name, array in tensors.items():
        sizes = array.shape[1:] if batched else array.shape
        smallest = limits.smallest.get(name, ())
        if any(size < least for size, least in zip(sizes, smallest, strict=False)):
            raise InvalidRequest(f"{name} is {_by(sizes)}, at least {_by(smallest)} is served")
        most = limits.most_elements.get(name)
        if most is not None and math.prod(sizes) > most:
            raise InvalidRequest(f"{name} is {_by(sizes)}, more than {most} elements")
        if not array.size and (smallest or most is not None):
            raise InvalidRequest(f"{name} holds nothing, its shape is {list(array.shape)}")
        if name in limits.finite and not np.isfinite(array).all():
            raise InvalidRequest(f"{name} holds NaN or infinity")


def _finite(parameters: Mapping[str, str], inputs: Collection[str]) -> frozenset[str]:
    found = {key: text for key, text in parameters.items() if key.startswith("finite.")}
    for key, text in found.items():
        if key.removeprefix("finite.") not in inputs:
            raise BadConfig(f"parameter {key} is set for what is no input")
        if text != "true":
            raise BadConfig(f"parameter {key} must be true or left out, it is {text!r}")
    return frozenset(key.removeprefix("finite.") for key in found)


def _of(parameters: Mapping[str, str], prefix: str) -> dict[str, tuple[int, ...]]:
    found = {key: text for key, text in parameters.items() if key.startswith(prefix)}
    return {key.removeprefix(prefix): _numbers(key, text) for key, text in found.items()}


def _numbers(key: str, text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split())
    except ValueError as error:
        raise BadConfig(f"parameter {key} must be whole numbers, it is {text!r}") from error
    if not numbers or min(numbers) < 1:
        raise BadConfig(f"parameter {key} must be whole numbers from 1, it is {text!r}")
    return numbers


def _by(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
