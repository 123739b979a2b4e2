from pathlib import Path

import numpy as np
import onnx

from export.precision.fusion import fuse
from export.runtime import open_graph
from tests.export.precision import small_graph


def test_a_fused_graph_computes_the_same_under_the_same_names(tmp_path: Path) -> None:
    source = small_graph.write(tmp_path / "source.onnx", of_sound=True)
    fused = tmp_path / "fused.onnx"
    onnx.save(fuse(source), fused)
    inputs = small_graph.inputs(of_sound=True)
    expected, got = open_graph(source)(inputs), open_graph(fused)(inputs)
    assert list(got) == list(expected)
    np.testing.assert_allclose(got["last"], expected["last"], rtol=1e-4, atol=1e-5)
    made = small_graph.operators(fused)
    assert "Gelu" in made
    assert "Erf" not in made
