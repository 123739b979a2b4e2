"""Makes int8 graphs of an fp32 graph, for any choice of its layers; calibrated once."""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QDQQuantizer, QuantType, create_calibrator

from export.runtime import CPU
from export.signature import Tensors

LAYERS = ("Conv", "ConvTranspose")
"""Operators that are quantised: where the time goes."""


@dataclass(frozen=True)
class Layer:
    """A convolution of the graph."""

    name: str
    """Of its node."""
    macs: int
    """Multiplications an item of the batch."""


class Quantiser:
    """Static quantisation: activations uint8 by the least and greatest value seen, weights int8 a channel."""

    def __init__(self, source: Path, inputs: Sequence[Tensors], work: Path) -> None:
        """Calibrate on `inputs`; `work` is a folder for files in between."""
        self._source = source
        with _quiet():
            calibrator = create_calibrator(source, LAYERS, augmented_model_path=str(work / "calibration.onnx"))
            calibrator.collect_data(_Reader(inputs))
            self._ranges = calibrator.compute_data()

    def write(self, layers: Sequence[Layer], path: Path) -> None:
        """Write the graph with these layers in int8 and everything else as it was."""
        quantiser = QDQQuantizer(
            onnx.load(self._source),
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=self._ranges,
            nodes_to_quantize=[layer.name for layer in layers],
            nodes_to_exclude=[],
            op_types_to_quantize=list(LAYERS),
            # What reads an output in int8 quantises it itself; rounding it for float readers only costs.
            extra_options={"OpTypesToExcludeOutputQuantization": list(LAYERS)},
        )
        with _quiet():
            quantiser.quantize_model()
            quantiser.model.save_model_to_file(str(path))


def heavy_layers(source: Path, inputs: Tensors, least_share: float) -> list[Layer]:
    """Return the layers that do at least that share of the graph's multiplications on these inputs."""
    model = onnx.load(source)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in LAYERS and node.input[1] in weights]
    sizes = _sizes(model, sorted({name for node in nodes for name in (node.input[0], node.output[0])}), inputs)
    layers = [Layer(node.name, _macs(node, weights[node.input[1]], sizes)) for node in nodes]
    total = sum(layer.macs for layer in layers)
    return [layer for layer in layers if layer.macs >= least_share * total]


def _macs(node: onnx.NodeProto, weight: tuple[int, ...], sizes: dict[str, tuple[int, ...]]) -> int:
    """Every position of the output (transposed: of the input) meets the whole kernel once."""
    positions = sizes[node.output[0] if node.op_type == "Conv" else node.input[0]][2:]
    return math.prod(weight) * math.prod(positions)


def _sizes(model: onnx.ModelProto, names: Sequence[str], inputs: Tensors) -> dict[str, tuple[int, ...]]:
    """Run the graph and look at tensors in its middle."""
    known = {value.name for value in (*model.graph.output, *model.graph.input)}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=[CPU])
    wanted = [name for name in names if name not in inputs]
    arrays = session.run(wanted, dict(inputs))
    return {name: array.shape for name, array in (*zip(wanted, arrays, strict=True), *inputs.items())}


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, inputs: Sequence[Tensors]) -> None:
        self._left = iter(inputs)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, None after the last."""
        batch = next(self._left, None)
        return None if batch is None else dict(batch)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep onnxruntime's advice about its own pre-processing, given for every graph, from the screen."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
