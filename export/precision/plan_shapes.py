"""The optimisation profile of a TensorRT plan: from which to which sizes it works, and for which it is tuned."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from export.errors import PrecisionUnavailable
from export.signature import Tensor


class Span(NamedTuple):
    """Sizes of one axis."""

    least: int
    tuned: int
    most: int


BATCH = Span(1, 8, 64)
"""Of graphs whose items are all of one size."""

PICTURE_BATCH = Span(1, 4, 16)
"""Of graphs that take pictures of any size: TensorRT reserves memory for the largest batch of the largest picture, and
64 pictures of 960 x 960 would need tens of gigabytes."""

SIDES: Mapping[str, Span] = {"height": Span(32, 192, 960), "width": Span(32, 341, 960)}
"""Of axes that a signature names; tuned for a 16:9 clip at the detector's short side, up to what a clip of 2.6:1
has at a short side of 360, upright or not."""


class Shapes(NamedTuple):
    """Whole shapes of one input, batch axis first."""

    least: tuple[int, ...]
    tuned: tuple[int, ...]
    most: tuple[int, ...]


def profile_shapes(inputs: Sequence[Tensor]) -> dict[str, Shapes]:
    """Return the profile of a graph with these inputs, by name. PrecisionUnavailable: an axis of unknown range."""
    named = {size for tensor in inputs for size in tensor.dims if isinstance(size, str)}
    if unknown := sorted(named - set(SIDES)):
        raise PrecisionUnavailable(f"no range of sizes is stated for the axis {', '.join(unknown)}")
    batch = PICTURE_BATCH if named else BATCH
    return {tensor.name: _shapes(tensor, batch) for tensor in inputs}


def _shapes(tensor: Tensor, batch: Span) -> Shapes:
    spans = [batch, *(SIDES[size] if isinstance(size, str) else Span(size, size, size) for size in tensor.dims)]
    return Shapes(*(tuple(sizes) for sizes in zip(*spans, strict=True)))
