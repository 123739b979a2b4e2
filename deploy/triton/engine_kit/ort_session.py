"""Makes the ONNX Runtime session that a config asks for."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime

from .ort_options import BadConfig, OpenVino, Options, arithmetic

_OPENVINO = "OpenVINOExecutionProvider"
_CPU = "CPUExecutionProvider"


def open_session(path: Path, options: Options, log: Callable[[str], None]) -> onnxruntime.InferenceSession:
    """Load the graph; `log` is told what serves it."""
    providers: list[Any] = [_CPU]
    if options.openvino is not None:
        providers.insert(0, _openvino_provider(options.openvino, options, _metadata(path, options), log))
    session = onnxruntime.InferenceSession(path, _session_options(options), providers=providers)
    if options.openvino is not None and _OPENVINO not in session.get_providers():
        raise BadConfig("OpenVINO did not take the graph")  # else ONNX Runtime would go on without it
    session.disable_fallback()  # a failing run is an error, not a new session on another provider
    log(f"{path.name}: served by {', '.join(session.get_providers())}")
    return session


def run_options(options: Options) -> onnxruntime.RunOptions:
    """Make what every run is told."""
    made = onnxruntime.RunOptions()
    if options.arena_shrinkage is not None:
        made.add_run_config_entry("memory.enable_memory_arena_shrinkage", options.arena_shrinkage)
    return made


def _session_options(options: Options) -> onnxruntime.SessionOptions:
    made = onnxruntime.SessionOptions()
    made.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, options.graph_optimization_level)
    made.execution_mode = getattr(onnxruntime.ExecutionMode, options.execution_mode)
    made.intra_op_num_threads = options.intra_op_num_threads
    made.inter_op_num_threads = options.inter_op_num_threads
    if options.enable_cpu_mem_arena is not None:
        made.enable_cpu_mem_arena = options.enable_cpu_mem_arena
    if options.enable_mem_pattern is not None:
        made.enable_mem_pattern = options.enable_mem_pattern
    if options.device_allocator_for_initializers is not None:
        key = "session.use_device_allocator_for_initializers"
        made.add_session_config_entry(key, options.device_allocator_for_initializers)
    if options.allow_spinning is not None:
        made.add_session_config_entry("session.intra_op.allow_spinning", str(int(options.allow_spinning)))
    for library in options.custom_op_libraries:
        made.register_custom_ops_library(library)
    return made


def _metadata(path: Path, options: Options) -> dict[str, str]:
    """Read the graph's metadata_props. ONNX Runtime tells them only of a session: one that prepares nothing."""
    bare = _session_options(replace(options, graph_optimization_level="ORT_DISABLE_ALL"))
    bare.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(path, bare, providers=[_CPU])
    return dict(session.get_modelmeta().custom_metadata_map)


def _openvino_provider(
    openvino: OpenVino, options: Options, metadata: dict[str, str], log: Callable[[str], None]
) -> tuple[str, dict[str, str]]:
    if _OPENVINO not in onnxruntime.get_available_providers():
        raise BadConfig("this ONNX Runtime was built without OpenVINO (package onnxruntime-openvino)")
    chosen = arithmetic(openvino, metadata, Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    # Written out, because OpenVINO's own default is bf16 on some processors and f32 on others.
    # Not pinned: every instance would pin its threads to the same first cores, and wait there for its sisters.
    properties = {"INFERENCE_PRECISION_HINT": chosen.hint, "ENABLE_CPU_PINNING": "NO"}
    if options.intra_op_num_threads:
        properties["INFERENCE_NUM_THREADS"] = str(options.intra_op_num_threads)
    log(f"openvino with {properties}: {chosen.reason}")
    # `load_config` takes JSON text, although its documentation speaks of a file.
    return _OPENVINO, {"device_type": "CPU", "load_config": json.dumps({"CPU": properties})}
