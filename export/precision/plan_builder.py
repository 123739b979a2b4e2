"""The few calls of TensorRT: an ONNX file becomes a plan, a plan becomes something that runs.

Written for TensorRT 10's Python API. It has not been run on a GPU yet; tests hold it against a stand-in of these calls.
`trt` is the module `tensorrt`, which exists only where it was installed: see tensorrt.py.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import PrecisionUnavailable
from export.parity import Runner
from export.precision.plan_shapes import Shapes
from export.signature import Tensors

WORKSPACE_BYTES = 4 << 30
"""Scratch memory that a kernel may ask for while TensorRT chooses; less would rule fast ones out."""


def build_plan(trt: Any, graph: Path, shapes: Mapping[str, Shapes], timing_cache: Path) -> bytes:  # noqa: ANN401
    """Compile the graph for this machine's GPU.

    The types are those of the graph (a strongly typed network): a graph of half precision makes a plan of half
    precision. TF32 is off, so that FP32 means FP32. `timing_cache` is read if it is there, and written: the next build
    of the same layers on the same GPU takes seconds instead of minutes.

    Raises PrecisionUnavailable with TensorRT's reasons.
    """
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(graph)):
        reasons = "; ".join(str(parser.get_error(number).desc()) for number in range(parser.num_errors))
        raise PrecisionUnavailable(f"TensorRT cannot read the graph: {reasons}")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    profile = builder.create_optimization_profile()
    for name, shape in shapes.items():
        profile.set_shape(name, min=shape.least, opt=shape.tuned, max=shape.most)
    config.add_optimization_profile(profile)
    known = timing_cache.read_bytes() if timing_cache.exists() else b""
    cache = config.create_timing_cache(known)
    config.set_timing_cache(cache, ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise PrecisionUnavailable("TensorRT could not build a plan; its log above says why")
    timing_cache.parent.mkdir(parents=True, exist_ok=True)
    timing_cache.write_bytes(bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def open_plan(trt: Any, plan: Path) -> Runner:  # noqa: ANN401
    """Load a plan for the gate. Inputs and outputs travel through PyTorch's CUDA memory."""
    import torch

    engine = trt.Runtime(trt.Logger(trt.Logger.WARNING)).deserialize_cuda_engine(plan.read_bytes())
    if engine is None:
        raise PrecisionUnavailable(f"TensorRT {trt.__version__} does not load the plan that it has just built")
    context = engine.create_execution_context()
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    outputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]

    def run(inputs: Tensors) -> Tensors:
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)).cuda() for name, array in inputs.items()}
        for name, tensor in tensors.items():
            context.set_input_shape(name, tuple(tensor.shape))
        for name in outputs:
            dtype = torch.from_numpy(np.empty(0, trt.nptype(engine.get_tensor_dtype(name)))).dtype
            tensors[name] = torch.empty(tuple(context.get_tensor_shape(name)), dtype=dtype, device="cuda")
        for name, tensor in tensors.items():
            context.set_tensor_address(name, tensor.data_ptr())
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # PyTorch left it so
        stream.wait_stream(torch.cuda.current_stream())
        if not context.execute_async_v3(stream.cuda_stream):
            raise PrecisionUnavailable("the plan did not run; TensorRT's log above says why")
        stream.synchronize()
        return {name: tensors[name].cpu().numpy() for name in outputs}

    return run
