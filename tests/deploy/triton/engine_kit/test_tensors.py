import importlib
import json
import sys

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest

from tests.fakes import pb_utils
from tests.fakes.pb_utils import InferenceRequest


@pytest.fixture
def kit(monkeypatch):
    """engine_kit.tensors as the stub would import it."""
    monkeypatch.setattr(pb_utils.Logger, "errors", [])
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", pb_utils)
    monkeypatch.delitem(sys.modules, "engine_kit.tensors", raising=False)
    return importlib.import_module("engine_kit.tensors")


def text_request(*texts: bytes, cancelled: bool = False) -> InferenceRequest:
    return InferenceRequest({"TEXT": np.array(texts, np.object_)}, cancelled=cancelled)


def test_parameters_are_read_from_the_model_config(kit):
    config = {"parameters": {"languages": {"string_value": "en es"}}}
    assert kit.read_parameters({"model_config": json.dumps(config)}) == {"languages": "en es"}


def test_a_text_is_read_and_written_as_utf8(kit):
    assert kit.read_text(text_request("¿Qué?".encode()), "TEXT") == "¿Qué?"
    array = kit.tensor("TEXT", "¿Qué?").as_numpy()
    assert (array.shape, array.dtype, array[0]) == ((1,), np.object_, "¿Qué?".encode())


def test_an_array_keeps_its_type_and_shape(kit):
    array = np.zeros((2, 3), np.uint8)[:, ::-1]
    written = kit.tensor("FACES", array).as_numpy()
    assert (written.shape, written.dtype, written.flags.c_contiguous) == ((2, 3), np.uint8, True)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (text_request(), "TEXT must hold one string, it holds 0"),
        (text_request(b"a", b"b"), "TEXT must hold one string, it holds 2"),
        (text_request(b"caf\xe9 au lait"), "TEXT is not UTF-8: invalid continuation byte at byte 3"),
        (InferenceRequest({}), "TEXT is missing"),
    ],
)
def test_what_is_no_text_is_refused_by_name(kit, request_, reason):
    with pytest.raises(InvalidRequest, match=reason):
        kit.read_text(request_, "TEXT")


def test_each_request_gets_its_own_answer(kit):
    def respond(request: InferenceRequest) -> list[pb_utils.Tensor]:
        text = kit.read_text(request, "TEXT")
        if text == "fault":
            raise KeyError("broken")
        return [kit.tensor("TEXT", text.upper())]

    requests = [text_request(b"a"), text_request(b"\xff"), text_request(b"fault"), text_request(b"b")]
    good, refused, fault, neighbour = kit.answer_each(requests, respond)
    assert [answer.outputs[0].as_numpy()[0] for answer in (good, neighbour)] == [b"A", b"B"]
    assert (refused.error.code, refused.outputs) == ("INVALID_ARG", [])
    assert "TEXT is not UTF-8" in refused.error.message
    assert (fault.error.code, fault.error.message) == ("INTERNAL", "KeyError: 'broken'")
    (logged,) = pb_utils.Logger.errors
    assert "in respond" in logged


def test_a_request_whose_caller_has_gone_is_not_worked_on(kit):
    (answer,) = kit.answer_each([text_request(b"a", cancelled=True)], lambda request: pytest.fail("worked on"))
    assert answer.error.code == "CANCELLED"
