"""The ways of running a network that are compared on a GPU."""

import copy
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

Run = Callable[[], Sequence[Tensor]]
"""Runs the network once on inputs that lie on the device already; returns its outputs."""
Prepare = Callable[[nn.Module, tuple[Tensor, ...]], Run]


class Unavailable(Exception):
    """This machine does not offer the variant."""


def fp32(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """PyTorch as it is, TF32 off: what the others are compared with."""
    return lambda: _outputs(network(*inputs))


def tf32(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """The same with the 10-bit mantissa that NVIDIA's tensor cores take for fp32."""
    if inputs[0].device.type != "cuda":
        raise Unavailable("TF32 is a GPU's")

    def run() -> Sequence[Tensor]:
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
            return _outputs(network(*inputs))

    return run


def fp16(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """Half precision, channels last."""
    half, halved = _halved(network, inputs)
    return lambda: _outputs(half(*halved))


def compiled(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """fp16 through torch.compile."""
    half, halved = _halved(network, inputs)
    fast = torch.compile(half, dynamic=False)
    return lambda: _outputs(fast(*halved))


def graphed(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """fp16 recorded once as a CUDA graph and replayed: no launch of single kernels."""
    if inputs[0].device.type != "cuda":
        raise Unavailable("CUDA graphs need CUDA")
    half, halved = _halved(network, inputs)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries choose their kernels before the recording
        for _ in range(3):
            half(*halved)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = _outputs(half(*halved))

    def run() -> Sequence[Tensor]:
        graph.replay()
        return outputs

    return run


def onnx_runtime(network: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    """ONNX Runtime's provider for the device, fp32; on CUDA the inputs stay on the GPU."""
    try:
        import onnxruntime
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed") from error
    device = inputs[0].device.type
    provider = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}[device]
    if provider not in onnxruntime.get_available_providers():
        raise Unavailable(f"this ONNX Runtime has no {provider}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        with warnings.catch_warnings():
            # The older exporter: it needs no package but PyTorch, and says that it is old.
            warnings.simplefilter("ignore")
            torch.onnx.export(network, inputs, path, dynamo=False, input_names=_names(inputs))
        session = onnxruntime.InferenceSession(path, providers=[provider])
    binding = session.io_binding()
    for name, tensor in zip(_names(inputs), inputs, strict=True):
        binding.bind_input(name, device, 0, "float32", list(tensor.shape), tensor.data_ptr())
    for output in session.get_outputs():
        binding.bind_output(output.name, device)

    def run() -> Sequence[Tensor]:
        session.run_with_iobinding(binding)
        return _Lazy(binding)

    return run


VARIANTS: dict[str, Prepare] = {
    "pytorch fp32": fp32,
    "pytorch tf32": tf32,
    "pytorch fp16": fp16,
    "fp16 compiled": compiled,
    "fp16 cuda graph": graphed,
    "onnxruntime fp32": onnx_runtime,
}
BASELINE = "pytorch fp32"


class _Lazy(Sequence[Tensor]):
    """The outputs of an ONNX Runtime binding, copied only when they are looked at."""

    def __init__(self, binding: "object") -> None:
        self._binding = binding

    def __len__(self) -> int:
        return len(self._binding.get_outputs())

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(self._binding.copy_outputs_to_cpu()[index])


def _halved(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[nn.Module, tuple[Tensor, ...]]:
    half = copy.deepcopy(network).half().to(memory_format=torch.channels_last)
    return half, tuple(tensor.half().contiguous(memory_format=torch.channels_last) for tensor in inputs)


def _outputs(answer: Tensor | Sequence) -> list[Tensor]:
    """Flatten what the network returned: S3FD gives a pair of each level."""
    return [answer] if isinstance(answer, Tensor) else [one for part in answer for one in _outputs(part)]


def _names(inputs: tuple[Tensor, ...]) -> list[str]:
    return [f"input_{number}" for number in range(len(inputs))]
