"""Lists of layers with their type."""

from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def typed(layers: nn.ModuleList | nn.Sequential, kind: type[M]) -> list[M]:
    """Return the layers, all of which must be of that kind (TypeError)."""
    found = [layer for layer in layers if isinstance(layer, kind)]
    if len(found) != len(layers):
        raise TypeError(f"a layer is no {kind.__name__}")
    return found
