"""A precision that spoils: it rounds every weight to quarters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from export.parity import Runner
from export.precision.base import Job, Precision
from export.runtime import open_graph


class Coarse(Precision):
    name = "coarse"

    def build(self, job: Job) -> None:
        model = onnx.load(job.source)
        for weight in model.graph.initializer:
            array = numpy_helper.to_array(weight)
            if array.dtype == np.float32 and array.ndim == 4:
                weight.CopyFrom(numpy_helper.from_array(np.round(array * 4) / 4, weight.name))
        onnx.save(model, job.folder / "model.onnx")

    def open(self, folder: Path) -> Runner:
        return open_graph(folder / "model.onnx")

    def execution(self) -> Mapping[str, str]:
        return {}


PRECISION = Coarse()
