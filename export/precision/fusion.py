"""Elementwise parts of transformers as ONNX Runtime's own operators: one pass over memory instead of five.

onnxscript's rewriting rules for ONNX Runtime find GELU and residual sums before layer norms. (Attention is one operator
from the tracer on: export/seq2seq/attention.py.)
"""

from pathlib import Path

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import CommonSubexpressionEliminationPass, ShapeInferencePass
from onnxscript.optimizer import optimize
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.ort_fusions.erfgelu import fuse_erfgelu
from onnxscript.rewriter.ort_fusions.gelu import fuse_gelu
from onnxscript.rewriter.ort_fusions.skip_normalization import fuse_skip_layer_normalization
from onnxscript.rewriter.rules.common import gemm_to_matmul_add_rule


def fuse(source: Path) -> onnx.ModelProto:
    """Read the graph and return it fused, weights in memory. Inputs, outputs and what is computed stay as they are.

    Bias and GELU stay two operators: the quantised products take the bias in, and BiasGelu is slower than Gelu.
    """
    model = ir.load(source)
    names = [value.name for value in model.graph.outputs]
    rewrite(model, [gemm_to_matmul_add_rule])
    ShapeInferencePass()(model)
    optimize(model)
    for step in (fuse_erfgelu, fuse_gelu, fuse_skip_layer_normalization):
        step(model)
    CommonSubexpressionEliminationPass()(model)
    optimize(model)
    proto = ir.to_proto(model)
    del proto.graph.value_info[:]  # ONNX Runtime infers them anew
    assert [output.name for output in proto.graph.output] == names
    return proto
