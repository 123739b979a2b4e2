import grpc
import numpy as np
import pytest

from client.connection import TritonConnection
from client.errors import EngineNotLoaded
from client.pinned import pinned, split_pinned
from tests.fakes.triton_service import FakeService, message, serving

NOTHING: dict[str, np.ndarray] = {}
GONE = "Request for unknown model: 'm' version 1 is not at ready state"


class OnlyVersionTwo(FakeService):
    """Serves version 2 of everything; whoever asks for another one is told as Triton tells it."""

    def ModelInfer(self, request, context):
        if request.model_version not in ("", "2"):
            context.abort(grpc.StatusCode.UNAVAILABLE, GONE)
        return super().ModelInfer(request, context)


@pytest.fixture
def served():
    def stream(request, _context):
        gone = request.model_version not in ("", "2")
        yield message(error=GONE) if gone else message(final=True)

    service = OnlyVersionTwo(stream)
    with serving(service) as url, TritonConnection(url, control_timeout_s=5) as connection:
        yield service, connection


@pytest.mark.parametrize(("model", "version"), [("stt_whisper", "2"), ("stt_whisper", "")])
def test_a_pinned_name_is_taken_apart_as_it_was_made(model, version):
    assert split_pinned(pinned(model, version)) == (model, version)


def test_a_pinned_call_asks_for_its_version(served):
    service, connection = served
    connection.infer("m@2", [], timeout_s=5)
    list(connection.stream("m@2", NOTHING, timeout_s=5))
    assert [(each.model_name, each.model_version) for each in service.requests] == [("m", "2")] * 2


def test_a_version_that_is_gone_gives_way_to_the_one_that_serves(served):
    service, connection = served
    connection.infer("m@1", [], timeout_s=5)
    list(connection.stream("m@1", NOTHING, timeout_s=5))
    assert [each.model_version for each in service.requests] == ["", "1", ""]


def test_a_strict_call_wants_its_version_or_nothing(served):
    _, connection = served
    with pytest.raises(EngineNotLoaded):
        connection.infer("m@1", [], timeout_s=5, strict=True)
    with pytest.raises(EngineNotLoaded):
        list(connection.stream("m@1", NOTHING, timeout_s=5, strict=True))
