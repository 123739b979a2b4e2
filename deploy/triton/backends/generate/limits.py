"""The engine's parameters in config.pbtxt. Needs nothing but the standard library and engine_kit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine_kit.ort_options import BadConfig


@dataclass(frozen=True)
class Limits:
    """How much is done at a time."""

    decode_batch: int = 8
    """Most generations of one width (rows each) that decode at a time; more wait."""
    encode_batch: int = 8
    """Most sources in one run of the encoder. 1 for encoders that quantise activations by the whole batch's range."""
    joining: bool = True
    """New generations join a running batch. False: they wait until it has ended."""


def read_limits(parameters: Mapping[str, str]) -> Limits:
    """Read `decode_batch`, `encode_batch` and `joining`; BadConfig when one is no such thing."""
    joining = parameters.get("joining", "true")
    if joining not in ("true", "false"):
        raise BadConfig(f"parameter joining must be true or false, it is {joining!r}")
    counts = {name: _count(parameters.get(name, "8"), name) for name in ("decode_batch", "encode_batch")}
    return Limits(**counts, joining=joining == "true")


def _count(text: str, name: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadConfig(f"parameter {name} must be a whole number from 1, it is {text!r}")
    return int(text)
