"""The gate: a version is installed only if it computes what the original computes.

The original is the family's own PyTorch network in fp32 with the checkpoint's weights, fed as the published code feeds
it; the candidate is what will be installed, run the way that it will be served. Both get the same fresh random inputs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.errors import NotFinite, ParityMissed
from export.signature import Tensor, Tensors, check_arrays
from export.ssim import ssim

if TYPE_CHECKING:
    from torch import nn

    from export.family import Family

Runner = Callable[[Tensors], Tensors]
"""Runs a graph: inputs by name in, outputs by name out (more outputs than asked for do no harm)."""


@dataclass(frozen=True)
class Limit:
    """How far one output may be from the original's; differences are in the output's own unit."""

    max_abs: float
    """Greatest absolute difference of any value."""
    batch_abs: float
    """Greatest absolute difference between an item in a batch and the same item alone."""
    min_ssim: float | None = None
    """Least structural similarity of any item (uint8 pictures [n, height, width, channels] only)."""


REDUCED_PICTURE = Limit(max_abs=3, batch_abs=1, min_ssim=0.95)
"""The bar of a uint8 picture from a reduced precision."""
EXACT_PICTURE = Limit(max_abs=1, batch_abs=1)
"""The bar of a uint8 picture from fp32: what quantising a difference of 1e-4 can move."""
EXACT_FLOAT = Limit(max_abs=1e-4, batch_abs=1e-4)
"""The bar of a float output from fp32."""


@dataclass(frozen=True)
class Figure:
    """What was seen of one output over all batches."""

    tensor: str
    max_abs: float
    batch_abs: float
    ssim: float | None
    """Least of all items; None when the limit asks for none."""
    limit: Limit

    @property
    def fits(self) -> bool:
        """Whether every figure is within its limit."""
        similar = self.limit.min_ssim is None or (self.ssim is not None and self.ssim >= self.limit.min_ssim)
        return similar and self.max_abs <= self.limit.max_abs and self.batch_abs <= self.limit.batch_abs

    def __str__(self) -> str:
        text = f"{self.tensor}: max abs {self.max_abs:.3g} (limit {self.limit.max_abs:g}), batch against singles "
        text += f"{self.batch_abs:.3g} (limit {self.limit.batch_abs:g})"
        return text if self.ssim is None else f"{text}, SSIM {self.ssim:.4f} (limit {self.limit.min_ssim:g})"


@dataclass(frozen=True)
class Parity:
    """The gate's record, for the manifest and the screen."""

    precision: str
    seed: int
    batch_sizes: tuple[int, ...]
    figures: tuple[Figure, ...]

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def check_parity(
    family: "Family", module: "nn.Module", run: Runner, precision: str, seed: int, *, probes: bool = True
) -> Parity:
    """Compare the candidate with the original on batches of every size in `family.batch_sizes`.

    `probes`: whether the candidate has the family's probes (where the limits name them); a served file has none.

    Raises:
        ParityMissed: a figure is beyond its limit; the message has all figures.
        NotFinite: an output of either holds NaN or infinity.
        SignatureMismatch: the candidate's outputs are not those promised.
    """
    limits = family.limits(precision)
    tensors = [*family.signature.outputs, *(each for each in family.probes if probes and each.name in limits)]
    rng = np.random.default_rng(seed)
    seen: list[Sequence[Figure]] = []
    for size in family.batch_sizes:
        inputs = family.samples(rng, size)
        check_arrays(inputs, family.signature.inputs, "sample inputs")
        reference = _reference(family, module, inputs)
        expected = _checked({each.name: reference[each.name] for each in tensors}, tensors, "the original")
        got = _checked(run(inputs), tensors, "the exported graph")
        singles = [_checked(run(_item(inputs, index)), tensors, "the exported graph") for index in range(size)]
        alone = {each.name: np.concatenate([single[each.name] for single in singles]) for each in tensors}
        seen.append(family.figures(precision, expected, got, alone))
    worst = tuple(_worst(each) for each in zip(*seen, strict=True))
    parity = Parity(precision, seed, tuple(family.batch_sizes), worst)
    if not all(figure.fits for figure in parity.figures):
        raise ParityMissed(f"{family.name} {precision}: {'; '.join(map(str, parity.figures))}")
    return parity


def check_original(family: "Family", module: "nn.Module") -> None:
    """Refuse weights with which the original itself gives NaN or infinity (NotFinite)."""
    _reference(family, module, family.trace_inputs())


def check_finite(arrays: Mapping[str, NDArray[Any]], what: str) -> None:
    """Refuse NaN and infinity (NotFinite names the first five tensors and how many there are)."""
    bad = [name for name, array in arrays.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    if bad:
        raise NotFinite(f"{what}: NaN or infinity in {len(bad)} tensor(s): {', '.join(bad[:5])}")


def _reference(family: "Family", module: "nn.Module", inputs: Tensors) -> Tensors:
    with np.errstate(invalid="ignore"):  # NaN becomes a byte without a word: it is looked for in the floats
        outputs = family.reference(module, inputs)
    check_finite(outputs, "outputs of the original")
    return outputs


def _checked(outputs: Tensors, tensors: Sequence[Tensor], what: str) -> Tensors:
    check_arrays(outputs, tensors, what)
    check_finite(outputs, f"outputs of {what}")
    return outputs


def _item(inputs: Tensors, index: int) -> Tensors:
    return {name: array[index : index + 1] for name, array in inputs.items()}


def tensor_figures(limits: Mapping[str, Limit], expected: Tensors, got: Tensors, alone: Tensors) -> tuple[Figure, ...]:
    """Compare every output and probe, value by value; each must have a limit. `alone`: item by item."""
    return tuple(_figure(name, expected[name], got[name], alone[name], limits[name]) for name in expected)


def _figure(name: str, expected: NDArray[Any], got: NDArray[Any], alone: NDArray[Any], limit: Limit) -> Figure:
    similarity = None
    if limit.min_ssim is not None:
        similarity = min(ssim(one, other) for one, other in zip(expected, got, strict=True))
    return Figure(name, max_abs_difference(expected, got), max_abs_difference(got, alone), similarity, limit)


def max_abs_difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the greatest absolute difference; equal shapes are the caller's promise (ValueError)."""
    if one.shape != other.shape:
        raise ValueError(f"shapes differ: {one.shape} and {other.shape}")
    return float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)), initial=0.0))


def _worst(figures: Sequence[Figure]) -> Figure:
    first = figures[0]
    return Figure(
        first.tensor,
        max(figure.max_abs for figure in figures),
        max(figure.batch_abs for figure in figures),
        min((figure.ssim for figure in figures if figure.ssim is not None), default=None),
        first.limit,
    )
