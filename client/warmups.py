"""The first warm-up of a config.pbtxt as arrays: what a model without a recorded sample is asked instead."""

from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import deserialize_bytes_tensor, triton_to_np_dtype

from client.errors import ContractViolation
from client.sample import Arrays

FOLDER = "warmup"
"""Beside the versions: the files that warm-ups name."""


def warmup_inputs(model_folder: Path) -> Arrays | None:
    """Return the inputs of the first warm-up, with the batch axis where the model has one; None: it has no warm-up.

    Raises ContractViolation: the config or a file cannot be read.
    """
    model = model_folder.name
    try:
        text = (model_folder / "config.pbtxt").read_text("utf-8")
        config = text_format.Parse(text, model_config_pb2.ModelConfig())
        if not config.model_warmup:
            return None
        arrays = {name: _array(model_folder, each) for name, each in config.model_warmup[0].inputs.items()}
    except (OSError, ValueError, text_format.ParseError) as error:
        raise ContractViolation(model, f"its warm-up cannot be read: {error}") from error
    return {name: array[np.newaxis] if config.max_batch_size else array for name, array in arrays.items()}


def _array(model_folder: Path, stated: Any) -> NDArray[Any]:  # noqa: ANN401 - a protobuf message
    shape = tuple(stated.dims)
    data_type = model_config_pb2.DataType.Name(stated.data_type).removeprefix("TYPE_")
    kind = stated.WhichOneof("input_data_type")
    if kind == "input_data_file":
        content = (model_folder / FOLDER / stated.input_data_file).read_bytes()
        if data_type == "STRING":
            texts = [bytes(each).decode() for each in deserialize_bytes_tensor(content)]
            return np.array(texts, np.str_).reshape(shape)
        return np.frombuffer(content, triton_to_np_dtype(data_type)).reshape(shape).copy()
    if kind == "random_data":
        raise ValueError("random data are bit noise")
    return np.zeros(shape, np.str_ if data_type == "STRING" else triton_to_np_dtype(data_type))
