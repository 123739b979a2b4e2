"""Runs an ONNX file in ONNX Runtime, for the gate."""

from collections.abc import Mapping
from pathlib import Path

import onnxruntime

from export.errors import PrecisionUnavailable
from export.signature import Tensors

CPU = "CPUExecutionProvider"


class OpenGraph:
    """A graph in a session of ONNX Runtime; called as a `Runner`."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session
        self._names = [output.name for output in session.get_outputs()]

    def __call__(self, inputs: Tensors) -> Tensors:
        """Run it: inputs by name in, outputs by name out."""
        return dict(zip(self._names, self.session.run(self._names, dict(inputs)), strict=True))


def open_graph(path: Path, provider: str = CPU, options: Mapping[str, str] | None = None) -> OpenGraph:
    """Load the graph on one execution provider with its options; PrecisionUnavailable when it is not there.

    ONNX Runtime gives nodes that a provider does not take to its CPU provider, as it does in the server.
    """
    if provider not in onnxruntime.get_available_providers():
        raise PrecisionUnavailable(f"this ONNX Runtime has no {provider}")
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3  # errors only
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # PyTorch wants the cores in between
    providers = [(provider, dict(options or {}))]
    session = onnxruntime.InferenceSession(path, settings, providers=providers)
    if provider not in session.get_providers():  # else ONNX Runtime would go on without it
        raise PrecisionUnavailable(f"{provider} did not take the graph {path.name}")
    session.disable_fallback()
    return OpenGraph(session)
