"""Runs a graph with OpenVINO as the embedded server's onnxruntime backend does (deploy/triton/backends/onnxruntime)."""

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.triton.engine_kit.processor import bf16_supported
from export.runtime import OpenGraph, open_graph

OPENVINO = "OpenVINOExecutionProvider"
CPUINFO = Path("/proc/cpuinfo")


def processor_has_bf16() -> bool:
    """Tell whether this machine's processor multiplies bfloat16 itself."""
    return bf16_supported(CPUINFO.read_text(encoding="utf-8"))


def open_openvino(path: Path, hint: str) -> OpenGraph:
    """Load the graph; `hint`: f32 or bf16, what float layers are computed in. PrecisionUnavailable without OpenVINO."""
    # `load_config` takes JSON text, although its documentation speaks of a file.
    properties = json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": hint}})
    return open_graph(path, OPENVINO, {"device_type": "CPU", "load_config": properties})


def execution_of(hint: str) -> Mapping[str, str]:
    """Describe `open_openvino` for the manifest."""
    return {"provider": OPENVINO, "INFERENCE_PRECISION_HINT": hint}
