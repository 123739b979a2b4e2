import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.errors import EngineBusy, EngineFault, EngineNotLoaded, EngineTimeout, EngineUnavailable
from client.triton import TritonConnection, TritonStt
from tests.fakes.triton_service import FakeService, message, serving

AUDIO = np.zeros(160, np.float32)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOTHING: dict[str, np.ndarray] = {}


@pytest.fixture
def fake():
    """A FakeService and a connection to it; tests set what it streams."""
    scripts = [lambda request, context: iter([message(final=True)])]
    service = FakeService(lambda request, context: scripts[-1](request, context))
    with serving(service) as url, TritonConnection(url, control_timeout_s=5) as connection:
        yield service, connection, scripts


@pytest.mark.triton
def test_a_call_that_takes_too_long_ends_at_its_deadline(connection):
    with pytest.raises(EngineTimeout) as caught:
        TritonStt(connection, "stt_moods", timeout_s=0.2).transcribe(AUDIO, "slow")
    assert caught.value.model == "stt_moods"


@pytest.mark.triton
def test_a_full_queue_is_told_from_a_server_that_is_away(connection):
    engine = TritonStt(connection, "stt_busy", timeout_s=20)

    def outcome(_: int) -> str:
        try:
            return engine.transcribe(AUDIO).text
        except EngineBusy:
            return "busy"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, range(8)))
    assert set(outcomes) == {"done", "busy"}


@pytest.mark.triton
def test_an_unknown_model_is_not_loaded(connection):
    for call in (
        lambda: connection.config("no_such_model"),
        lambda: connection.infer("no_such_model", [], timeout_s=5),
        lambda: list(connection.stream("no_such_model", NOTHING, timeout_s=5)),
    ):
        with pytest.raises(EngineNotLoaded, match="no_such_model"):
            call()


@pytest.mark.triton
def test_one_connection_serves_many_threads(connection):
    engine = TritonStt(connection, "stt_moods", timeout_s=20)

    def heard(count: int) -> str:
        return engine.transcribe(np.ones(count, np.float32), "samples").text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(heard, range(1, 65))) == [f"{count} samples, mean 1.000" for count in range(1, 65)]


@pytest.mark.triton
def test_the_config_tells_batch_size_and_parameters(connection):
    config = connection.config("lips_plain")

    assert (config.model, config.max_batch_size) == ("lips_plain", 4)
    assert config.parameters["face_size_px"] == "64"


def test_a_server_that_is_away_is_unavailable():
    with TritonConnection("127.0.0.1:1", control_timeout_s=5) as connection:
        for call in (
            connection.statuses,
            lambda: connection.infer("m", [], timeout_s=5),
            lambda: list(connection.stream("m", NOTHING, timeout_s=5)),
        ):
            with pytest.raises(EngineUnavailable):
                call()


@pytest.mark.triton
def test_a_connection_is_closed_and_unavailable_once_it_is_left(moody_triton):
    with TritonConnection(moody_triton.grpc_url, control_timeout_s=5) as connection:
        assert connection.statuses()
    for call in (connection.statuses, lambda: list(connection.stream("m", NOTHING, timeout_s=5))):
        with pytest.raises(EngineUnavailable):
            call()


def test_the_trace_context_travels_as_metadata(fake):
    service, connection, _ = fake

    connection.infer("m", [], timeout_s=5, traceparent=TRACEPARENT)
    list(connection.stream("m", NOTHING, timeout_s=5, traceparent=TRACEPARENT))
    connection.infer("m", [], timeout_s=5)

    assert [call.get("traceparent") for call in service.metadata] == [TRACEPARENT, TRACEPARENT, None]


def test_a_stream_asks_for_its_end_and_never_for_status_headers(fake):
    service, connection, _ = fake

    list(connection.stream("m", NOTHING, timeout_s=5))

    assert service.requests[0].parameters["triton_enable_empty_final_response"].bool_param
    assert "triton_grpc_error" not in service.metadata[0]


def test_a_stream_that_stops_without_its_end_is_a_fault(fake):
    _, connection, scripts = fake
    scripts.append(lambda request, context: iter([message(), message()]))

    with pytest.raises(EngineFault, match="before its final response"):
        list(connection.stream("m", NOTHING, timeout_s=5))


def test_a_stream_has_one_deadline_for_all_of_it(fake):
    _, connection, scripts = fake
    hangs = threading.Event()

    def hang(request, context):
        yield message()
        context.add_callback(hangs.set)
        hangs.wait(10)

    scripts.append(hang)
    with pytest.raises(EngineTimeout):
        list(connection.stream("m", NOTHING, timeout_s=0.3))
    assert hangs.wait(5), "the server was not told"


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("127.0.0.1:8001", True),
        ("127.9.9.9:8001", True),
        ("localhost:8001", True),
        ("[::1]:8001", True),
        ("10.0.0.7:8001", False),
        ("triton:8001", False),
        ("localhost.example.org:8001", False),
    ],
)
def test_only_loopback_is_local(url, is_local):
    with TritonConnection(url, control_timeout_s=5) as connection:
        assert connection.is_local is is_local
