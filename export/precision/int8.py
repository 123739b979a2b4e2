"""int8: the layers that bear it in 8 bits, the others in bfloat16 or fp32, chosen by measuring what each one costs.

A whole network in int8 misses the gate (Wav2Lip: 8 of 255 on random weights, where 3 are allowed). So each heavy layer
is quantised alone once; layers are ordered by the damage they do for the time they save; as many of them as the
family's limits allow, seen together on many random inputs, become int8.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from export.errors import ParityMissed
from export.family import Family
from export.parity import Runner
from export.precision.base import Job, Precision
from export.precision.openvino import execution_of, open_openvino, processor_has_bf16
from export.precision.quantiser import Layer, Quantiser, heavy_layers
from export.runtime import open_graph
from export.signature import Tensors

FLOAT_LAYERS_KEY = "polylip.float_layers"
"""In the graph's metadata_props: fp32 or bf16, what its other layers were checked in. The embedded server reads it."""
_HINTS = {"fp32": "f32", "bf16": "bf16"}
_LEAST_SHARE = 0.01
"""Layers that do less of the multiplications stay as they are: their time is not worth a bit of quality."""
_ROUNDS = 10
"""Times the gate's batches that calibrate, and that the choice must stand: more than the gate will look at."""


class Int8(Precision):
    """For processors with VNNI."""

    name = "int8"

    def build(self, job: Job) -> None:
        """Search the layers; ParityMissed when not one of them may be int8."""
        float_layers = "bf16" if processor_has_bf16() else "fp32"
        with TemporaryDirectory(prefix="polylip-int8-", dir=job.folder.parent) as work:
            search = _Search(job, Path(work), _HINTS[float_layers])
            layers = search.run()
            if not layers:
                raise ParityMissed(f"{job.family.name} int8: the limits are missed with any layer in int8")
            search.quantiser.write(layers, job.folder / "model.onnx")
        _mark(job.folder / "model.onnx", float_layers, layers)

    def open(self, folder: Path) -> Runner:
        """OpenVINO; float layers in what `build` noted."""
        path = folder / "model.onnx"
        return open_openvino(path, _HINTS[_metadata(path)[FLOAT_LAYERS_KEY]])

    def execution(self) -> Mapping[str, str]:
        """Return provider and hint."""
        return execution_of("bf16" if processor_has_bf16() else "f32")


class _Search:
    def __init__(self, job: Job, work: Path, hint: str) -> None:
        self._work = work
        self._family = job.family
        self._hint = hint
        rng = np.random.default_rng(job.seed)
        self.quantiser = Quantiser(job.source, _inputs(job.family, rng), work)
        self._inputs = _inputs(job.family, rng)  # others than those of the calibration
        original = open_graph(job.source)
        self._expected = [original(inputs) for inputs in self._inputs]
        self._layers = heavy_layers(job.source, self._inputs[0], _LEAST_SHARE)

    def run(self) -> list[Layer]:
        """Return the most layers, cheapest damage first, that together keep within the limits."""
        damages = {layer: self._damage(layer) for layer in self._layers}
        ranked = sorted(self._layers, key=lambda layer: damages[layer] ** 2 / layer.macs)
        good, bad = 0, len(ranked) + 1
        while bad - good > 1:  # damage grows with every layer, so one half need not be looked at
            middle = (good + bad) // 2
            if self._fits(ranked[:middle]):
                good = middle
            else:
                bad = middle
        return ranked[:good]

    def _damage(self, layer: Layer) -> float:
        """Mean difference over all outputs, in their standard deviations: this layer in int8, all others in fp32."""
        run = self._open([layer], "f32")
        few = len(self._family.batch_sizes)
        pairs = zip(self._inputs[:few], self._expected[:few], strict=True)
        return float(np.mean([_difference(run(inputs), expected) for inputs, expected in pairs]))

    def _fits(self, layers: Sequence[Layer]) -> bool:
        run = self._open(layers, self._hint)
        for inputs, expected in zip(self._inputs, self._expected, strict=True):
            got = run(inputs)
            # what an item gives alone is the gate's to see: a static graph treats all items alike
            if not all(figure.fits for figure in self._family.figures("int8", expected, got, got)):
                return False
        return True

    def _open(self, layers: Sequence[Layer], hint: str) -> Runner:
        path = self._work / "trial.onnx"
        self.quantiser.write(layers, path)
        return open_openvino(path, hint)


def _inputs(family: Family, rng: np.random.Generator) -> list[Tensors]:
    return [family.samples(rng, size) for _ in range(_ROUNDS) for size in family.batch_sizes]


def _difference(got: Tensors, expected: Tensors) -> float:
    shares = [
        np.abs(got[name].astype(np.float64) - array).mean() / max(float(array.std()), np.finfo(np.float32).tiny)
        for name, array in expected.items()
    ]
    return float(np.mean(shares))


def _mark(path: Path, float_layers: str, layers: Sequence[Layer]) -> None:
    model = onnx.load(path)
    marks = {FLOAT_LAYERS_KEY: float_layers, "polylip.int8_layers": " ".join(layer.name for layer in layers)}
    known = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, known | marks)
    onnx.save(model, path)


def _metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


PRECISION = Int8()
