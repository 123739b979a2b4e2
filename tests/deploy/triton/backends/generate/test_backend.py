"""The generate backend inside a real Triton, on toy networks."""

import json
import queue
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deploy.errors import TritonStartFailed
from deploy.triton.embedded import EmbeddedTriton
from tests.fakes.toy_decoder import Toy
from tests.fakes.toy_reference import greedy
from tests.killed_servers import serving

pytestmark = pytest.mark.triton
TRANSLATOR, SPEAKER = Toy(positions=2000), Toy(source=None, embeds=True, hidden=True, seed=3)
TEXTS = [np.random.default_rng(number).integers(3, 24, 2 + number).tolist() for number in range(8)]
TIMEOUT_S = 30
CONFIG = """
backend: "generate"
max_batch_size: 0
input { name: "TOKENS" data_type: TYPE_INT64 dims: [ -1 ] optional: true }
input { name: "SOURCE" data_type: TYPE_INT64 dims: [ -1 ] optional: true }
input { name: "PREFIX" data_type: TYPE_FP32 dims: [ -1, -1 ] optional: true }
input { name: "OPTIONS" data_type: TYPE_STRING dims: [ 1 ] optional: true }
output { name: "TOKENS" data_type: TYPE_INT64 dims: [ -1 ] }
output { name: "LOGPROBS" data_type: TYPE_FP32 dims: [ -1 ] }
output { name: "SCORE" data_type: TYPE_FP32 dims: [ 1 ] }
output { name: "LOGITS" data_type: TYPE_FP32 dims: [ -1, -1 ] }
parameters { key: "intra_op_thread_count" value: { string_value: "1" } }
instance_group [{ kind: KIND_CPU count: 1 }]
"""
DECOUPLED = "model_transaction_policy { decoupled: true }\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toys")
    for name, toy, more in (("unary", TRANSLATOR, ""), ("stream", TRANSLATOR, DECOUPLED), ("prefix", SPEAKER, "")):
        toy.save(folder / name / "1")
        (folder / name / "config.pbtxt").write_text(CONFIG + more)
    return folder


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    names = ["unary", "stream", "prefix"]
    with serving(names, repository=repository, run_dir=tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def client(server: EmbeddedTriton) -> Iterator[grpc.InferenceServerClient]:
    with grpc.InferenceServerClient(server.grpc_url) as opened:
        yield opened


def inputs_of(source: Any = None, prefix: Any = None, **options: Any) -> list[grpc.InferInput]:
    arrays = {"OPTIONS": np.array([json.dumps(options).encode()], np.object_)}
    if source is not None:
        arrays["SOURCE"] = np.array(source, np.int64)
    if prefix is not None:
        arrays["PREFIX"] = prefix
    made = []
    for name, array in arrays.items():
        made.append(grpc.InferInput(name, array.shape, np_to_triton_dtype(array.dtype)))
        made[-1].set_data_from_numpy(array)
    return made


def infer(client: grpc.InferenceServerClient, model: str, *args: Any, **options: Any) -> list[int]:
    result = client.infer(model, inputs_of(*args, **options), client_timeout=TIMEOUT_S)
    return result.as_numpy("TOKENS").tolist()


def stream(
    server: EmbeddedTriton,
    source: list[int],
    stop_after: int | None = None,
    on_first: Callable[[], object] | None = None,
    **options: Any,
) -> list[Any]:
    """The answers of one request on a stream of its own: tokens, or an exception. `on_first`: when the first came."""
    answers: queue.Queue[Any] = queue.Queue()
    found: list[Any] = []
    with grpc.InferenceServerClient(server.grpc_url) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("stream", inputs_of(source, **options), enable_empty_final_response=True)
        while True:
            result, error = answers.get(timeout=TIMEOUT_S)
            if error is not None:
                return [*found, error]
            if result.as_numpy("TOKENS") is not None:
                found.append(result.as_numpy("TOKENS").tolist())
                if on_first and len(found) == 1:
                    on_first()
            if len(found) == stop_after:
                client.stop_stream(cancel_requests=True)
                return found
            if result.get_response().parameters["triton_final_response"].bool_param:
                return found


def batch_size(server: EmbeddedTriton, model: str) -> tuple[float, float]:
    """Steps, and generations that took part in them, since the server started."""
    text = urllib.request.urlopen(server.metrics_url, timeout=10).read().decode()
    found = dict(re.findall(rf'polylip_generate_(steps|shares){{model="{model}",version="1"}} (\S+)', text))
    return float(found.get("steps", 0)), float(found.get("shares", 0))


def test_a_request_gets_the_tokens_of_the_plain_network(client: grpc.InferenceServerClient) -> None:
    assert infer(client, "unary", TEXTS[5], max_new_tokens=20) == greedy(TRANSLATOR, TEXTS[5], 20)
    result = client.infer("unary", inputs_of(TEXTS[2], max_new_tokens=0, prompt_logits=[0]), client_timeout=TIMEOUT_S)
    assert result.as_numpy("TOKENS").size == 0
    expected = TRANSLATOR.logits([2], TRANSLATOR.encode(np.array(TEXTS[2])))
    np.testing.assert_allclose(result.as_numpy("LOGITS"), expected, atol=1e-4)


def test_concurrent_requests_decode_together_and_each_gets_its_own_answer(
    client: grpc.InferenceServerClient, server: EmbeddedTriton
) -> None:
    steps_before, shares_before = batch_size(server, "unary")
    with ThreadPoolExecutor(len(TEXTS)) as pool:
        answers = list(pool.map(lambda text: infer(client, "unary", text, max_new_tokens=200, eos=[]), TEXTS * 2))
    assert answers == [greedy(TRANSLATOR, text, 200, eos=()) for text in TEXTS] * 2
    steps, shares = batch_size(server, "unary")
    assert (shares - shares_before) / (steps - steps_before) > 2


def test_a_refused_request_fails_alone_among_concurrent_ones(client: grpc.InferenceServerClient) -> None:
    def ask(number: int) -> Any:
        options = {"top_p": 7} if number == 3 else {}
        try:
            return infer(client, "unary", TEXTS[number], max_new_tokens=60, eos=[], **options)
        except InferenceServerException as error:
            return error

    with ThreadPoolExecutor(len(TEXTS)) as pool:
        answers = list(pool.map(ask, range(len(TEXTS))))
    refused = answers.pop(3)
    assert refused.status() == "StatusCode.INVALID_ARGUMENT"
    assert "top_p is 7" in str(refused)
    assert answers == [greedy(TRANSLATOR, text, 60, eos=()) for text in TEXTS if text is not TEXTS[3]]


def test_tokens_are_streamed_one_by_one_and_end_with_a_final_response(server: EmbeddedTriton) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: stream(server, text, max_new_tokens=30, eos=[], stream=True), TEXTS[:4]))
    assert answers == [[[token] for token in greedy(TRANSLATOR, text, 30, eos=())] for text in TEXTS[:4]]


def test_a_stream_may_also_be_answered_at_once_or_refused(server: EmbeddedTriton) -> None:
    assert stream(server, TEXTS[1], max_new_tokens=9) == [greedy(TRANSLATOR, TEXTS[1], 9)]
    [refused] = stream(server, TEXTS[1], beams=0)
    assert "beams is 0" in str(refused)


def test_partial_responses_need_a_decoupled_model(client: grpc.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="decoupled transaction policy"):
        infer(client, "unary", TEXTS[0], max_new_tokens=5, stream=True)


def test_a_cancelled_stream_stops_the_work(server: EmbeddedTriton) -> None:
    steps_before, _ = batch_size(server, "stream")
    found = stream(server, TEXTS[0], stop_after=3, max_new_tokens=1900, eos=[], stream=True)
    assert len(found) == 3
    assert stream(server, TEXTS[1], max_new_tokens=200, eos=[]) == [greedy(TRANSLATOR, TEXTS[1], 200, eos=())]
    assert batch_size(server, "stream")[0] - steps_before < 1900


def test_a_cancelled_unary_request_leaves_its_neighbours_alone(client: grpc.InferenceServerClient) -> None:
    done = threading.Event()
    outcome: list[Any] = []

    def callback(result: Any, error: Any) -> None:
        outcome.append(error)
        done.set()

    call = client.async_infer("unary", inputs_of(TEXTS[0], max_new_tokens=1900, eos=[]), callback)
    call.cancel()
    assert done.wait(TIMEOUT_S)
    assert outcome[0] is not None
    assert infer(client, "unary", TEXTS[1], max_new_tokens=9) == greedy(TRANSLATOR, TEXTS[1], 9)


def test_a_conditioning_prefix_goes_before_the_prompt(client: grpc.InferenceServerClient) -> None:
    prefix = np.random.default_rng(0).standard_normal((5, SPEAKER.width)).astype(np.float32)
    answer = infer(client, "prefix", None, prefix, max_new_tokens=12, eos=[])
    assert answer == greedy(SPEAKER, None, 12, prefix=prefix, eos=())


def test_a_model_is_unloaded_only_when_its_requests_are_answered(
    client: grpc.InferenceServerClient, server: EmbeddedTriton
) -> None:
    at_work = threading.Barrier(5, timeout=TIMEOUT_S)

    def ask(text: list[int]) -> list[Any]:
        options = {"max_new_tokens": 1900, "eos": [], "stream": True}
        return stream(server, text, on_first=at_work.wait, **options)

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(ask, text) for text in TEXTS[:4]]
        at_work.wait()
        client.unload_model("stream")
        answers = [each.result(TIMEOUT_S) for each in pending]
    client.load_model("stream")
    assert answers == [stream(server, text, max_new_tokens=1900, eos=[], stream=True) for text in TEXTS[:4]]


def test_a_folder_that_cannot_be_served_fails_the_load_with_its_reason(tmp_path: Path) -> None:
    for name in ("no_graph", "odd_settings", "odd_limit"):
        TRANSLATOR.save(tmp_path / "models" / name / "1")
        (tmp_path / "models" / name / "config.pbtxt").write_text(CONFIG)
    (tmp_path / "models" / "no_graph" / "1" / "decoder.onnx").unlink()
    settings = {**TRANSLATOR.settings(), "heads": 0}
    (tmp_path / "models" / "odd_settings" / "1" / "generation.json").write_text(json.dumps(settings))
    odd = 'parameters { key: "decode_batch" value: { string_value: "many" } }\n'
    (tmp_path / "models" / "odd_limit" / "config.pbtxt").write_text(CONFIG + odd)
    names = ["no_graph", "odd_settings", "odd_limit"]
    with pytest.raises(TritonStartFailed) as failure:
        EmbeddedTriton(names, repository=tmp_path / "models", run_dir=tmp_path / "run").start()
    text = str(failure.value)
    assert "decoder.onnx is missing" in text
    assert "heads must be a whole number from 1, it is 0" in text
    assert "decode_batch must be a whole number from 1" in text
