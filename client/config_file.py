"""Reads a config.pbtxt file: the tensors that it promises. What a running server says is client/repository.py."""

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from client.errors import ContractViolation


@dataclass(frozen=True)
class ConfigTensor:
    """One input or output."""

    name: str
    data_type: str
    """Without TYPE_: UINT8, FP32 ..."""
    dims: tuple[int, ...]
    """Without the batch axis; -1: a size that may vary."""


@dataclass(frozen=True)
class ConfigFile:
    """The part of a config.pbtxt that says what the graph must look like."""

    name: str
    max_batch_size: int
    inputs: tuple[ConfigTensor, ...]
    outputs: tuple[ConfigTensor, ...]


def read_config_file(path: Path) -> ConfigFile:
    """Parse the file; ContractViolation when it cannot be read or is no model configuration."""
    try:
        config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ContractViolation(path.parent.name, f"{path.name} cannot be read: {error}") from error
    return ConfigFile(
        name=config.name or path.parent.name,
        max_batch_size=config.max_batch_size,
        inputs=tuple(_tensor(each) for each in config.input),
        outputs=tuple(_tensor(each) for each in config.output),
    )


def _tensor(tensor: model_config_pb2.ModelInput | model_config_pb2.ModelOutput) -> ConfigTensor:
    data_type = model_config_pb2.DataType.Name(tensor.data_type).removeprefix("TYPE_")
    return ConfigTensor(tensor.name, data_type, tuple(tensor.dims))
