"""Between numpy arrays and Triton's tensors, and the checks that an answer fulfils its contract."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferResult, service_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, serialize_byte_tensor

from client.errors import ContractViolation


def text_array(text: str, *, batched: bool) -> NDArray[np.object_]:
    """Make a STRING [1] tensor, or [1, 1] where the model has a batch axis."""
    return item(np.array([text.encode()], np.object_), batched=batched)


def item(array: NDArray[Any], *, batched: bool) -> NDArray[Any]:
    """Give one item the batch axis that a batched model wants."""
    return array[np.newaxis] if batched else array


def unary_inputs(arrays: Mapping[str, NDArray[Any]]) -> list[InferInput]:
    """Make tritonclient's inputs of whole tensors."""
    inputs = []
    for name, array in arrays.items():
        tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(np.ascontiguousarray(array))
        inputs.append(tensor)
    return inputs


def stream_request(model: str, arrays: Mapping[str, NDArray[Any]]) -> service_pb2.ModelInferRequest:
    """Make the message of an inference request of whole tensors."""
    request = service_pb2.ModelInferRequest(model_name=model)
    for name, array in arrays.items():
        request.inputs.add(name=name, datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
        is_text = array.dtype == np.object_
        request.raw_input_contents.append(serialize_byte_tensor(array).item() if is_text else array.tobytes())
    return request


class Answer:
    """A model's outputs, read strictly: ContractViolation names the output and what is wrong with it."""

    def __init__(self, model: str, result: InferResult, *, batched: bool) -> None:
        """`batched`: the model has a batch axis, of size 1 here, which is taken off."""
        self._model = model
        self._result = result
        self._batched = batched

    def text(self, name: str) -> str:
        """Read a STRING [1] output."""
        raw = self.array(name, np.dtype(np.object_), (1,))[0]
        try:
            return bytes(raw).decode()
        except UnicodeDecodeError as error:
            raise ContractViolation(self._model, f"output {name} is not UTF-8: {error}") from error

    def optional_text(self, name: str) -> str:
        """Read a STRING [1] output that an engine may leave out: "" then."""
        return "" if self._result.get_output(name) is None else self.text(name)

    def optional_switch(self, name: str) -> bool:
        """Read a BOOL [1] output that an engine may leave out: false then."""
        return self._result.get_output(name) is not None and bool(self.array(name, np.dtype(np.bool_), (1,))[0])

    def number(self, name: str, low: float = -np.inf, high: float = np.inf) -> float:
        """Read a finite FP32 [1] output that must lie in low..high."""
        value = float(self.array(name, np.dtype(np.float32), (1,))[0])
        require_contract(self._model, low <= value <= high, f"output {name} is {value:g}, outside {low:g}..{high:g}")
        return value

    def integer(self, name: str) -> int:
        """Read an INT32 [1] output."""
        return int(self.array(name, np.dtype(np.int32), (1,))[0])

    def array(self, name: str, dtype: np.dtype[Any], shape: Sequence[int | None]) -> NDArray[Any]:
        """Read a finite output of this dtype and shape (None fits any size); the array is the caller's own."""
        array = self._raw(name)
        if self._batched and array.ndim and array.shape[0] == 1:
            array = array[0]
        check_array(self._model, name, array, dtype, shape)
        return array.copy()  # tritonclient's arrays are read-only views of the message

    def _raw(self, name: str) -> NDArray[Any]:
        try:
            array: NDArray[Any] | None = self._result.as_numpy(name)
        except (
            ValueError,
            TypeError,
            InferenceServerException,
        ) as error:  # the bytes do not fill the shape they come with
            raise ContractViolation(self._model, f"output {name} cannot be read: {error}") from error
        if array is None:
            raise ContractViolation(self._model, f"output {name} is missing")
        return array


def require_contract(model: str, fulfilled: bool, violation: str) -> None:
    """Raise ContractViolation with these words unless the contract is fulfilled."""
    if not fulfilled:
        raise ContractViolation(model, violation)


def check_array(model: str, name: str, array: NDArray[Any], dtype: np.dtype[Any], shape: Sequence[int | None]) -> None:
    """Raise ContractViolation unless the array has the dtype, fits the shape (None = any size) and is finite."""
    require_contract(model, array.dtype == dtype, f"output {name} is {array.dtype}, expected {dtype}")
    fits = len(shape) == array.ndim and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    expected = ["any" if size is None else size for size in shape]
    require_contract(model, fits, f"output {name} has shape {list(array.shape)}, expected {expected}")
    finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
    require_contract(model, finite, f"output {name} holds NaN or infinity")
