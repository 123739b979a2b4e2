"""The onnxruntime backend inside a real Triton, on tiny graphs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as grpc
from engine_kit.processor import bf16_supported
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deploy.errors import TritonStartFailed
from deploy.triton.embedded import EmbeddedTriton
from tests.waiting import eventually

pytestmark = pytest.mark.triton
PLAIN_TYPES = [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64]
FLOAT_TYPES = [np.float16, np.float32, np.float64]


@pytest.fixture(scope="module")
def client(tiny_server: EmbeddedTriton) -> Iterator[grpc.InferenceServerClient]:
    with grpc.InferenceServerClient(tiny_server.grpc_url) as opened:
        yield opened


def infer(
    client: grpc.InferenceServerClient, model: str, arrays: dict, outputs: list[str] | None = None, version: str = ""
) -> dict:
    inputs = []
    for name, array in arrays.items():
        inputs.append(grpc.InferInput(name, array.shape, np_to_triton_dtype(array.dtype)))
        inputs[-1].set_data_from_numpy(array)
    wanted = None if outputs is None else [grpc.InferRequestedOutput(name) for name in outputs]
    result = client.infer(model, inputs, outputs=wanted, model_version=version, client_timeout=30)
    return {output.name: result.as_numpy(output.name) for output in result.get_response().outputs}


def executions(client: grpc.InferenceServerClient, model: str) -> tuple[int, int]:
    """Items answered and runs made, all versions together."""
    versions = client.get_inference_statistics(model).model_stats
    return sum(v.inference_count for v in versions), sum(v.execution_count for v in versions)


def runs_since(client: grpc.InferenceServerClient, model: str, before: tuple[int, int], items: int) -> int:
    """Runs that so many items took; Triton counts them after it has answered."""
    counted = [before]

    def all_are_counted() -> bool:
        counted.append(executions(client, model))
        return counted[-1][0] - before[0] >= items

    eventually(all_are_counted, what=f"{items} counted items")
    assert counted[-1][0] - before[0] == items
    return counted[-1][1] - before[1]


def look_up(
    client: grpc.InferenceServerClient, index: int, text: bytes = b"a", right: int = 2
) -> dict | InferenceServerException:
    arrays = {
        "INDEX": np.array([[index]], np.int64),
        "TEXT": np.array([[text]], np.object_),
        "LEFT": np.ones((1, 2), np.float32),
        "RIGHT": np.ones((1, right), np.float32),
    }
    try:
        return infer(client, "look_up", arrays)
    except InferenceServerException as error:
        return error


def test_waiting_requests_run_as_one_batch_and_each_gets_its_own_rows(client: grpc.InferenceServerClient) -> None:
    before = executions(client, "times")
    with ThreadPoolExecutor(8) as pool:
        arrays = [np.full((1, 4), number, np.float32) for number in range(8)]
        answers = list(pool.map(lambda array: infer(client, "times", {"X": array}, version="1")["Y"], arrays))
    assert all(np.array_equal(answer, array * 2) for answer, array in zip(answers, arrays, strict=True))
    assert runs_since(client, "times", before, items=8) < 8


def test_requests_of_several_items_keep_their_sizes_in_a_merged_batch(client: grpc.InferenceServerClient) -> None:
    with ThreadPoolExecutor(3) as pool:
        arrays = [np.arange(size * 2, dtype=np.float32).reshape(size, 2) for size in (1, 3, 4)]
        answers = list(pool.map(lambda array: infer(client, "times", {"X": array}, version="1")["Y"], arrays))
    assert [answer.tolist() for answer in answers] == [(array * 2).tolist() for array in arrays]


def test_versions_are_served_side_by_side_and_the_newest_by_default(client: grpc.InferenceServerClient) -> None:
    one = np.ones((8, 1), np.float32)  # a full batch does not wait
    assert infer(client, "times", {"X": one}, version="1")["Y"][0] == 2
    assert infer(client, "times", {"X": one}, version="2")["Y"][0] == 3
    assert infer(client, "times", {"X": one})["Y"][0] == 3


def test_openvino_answers_as_the_cpu_provider_does(
    client: grpc.InferenceServerClient, tiny_server: EmbeddedTriton
) -> None:
    picture = np.random.default_rng(3).random((2, 3, 32, 32), np.float32)
    plain = infer(client, "network", {"X": picture})["Y"]
    for name in ("network_openvino", "network_unmarked"):
        np.testing.assert_allclose(infer(client, name, {"X": picture})["Y"], plain, rtol=1e-4, atol=1e-4)
    spread = float(np.abs(plain).max())
    np.testing.assert_allclose(infer(client, "network_bf16", {"X": picture})["Y"], plain, rtol=0, atol=0.03 * spread)
    log = tiny_server.log_path.read_text()
    assert "network_openvino_0_0 version 1: model.onnx: served by OpenVINOExecutionProvider" in log
    assert "network_0_0 version 1: model.onnx: served by CPUExecutionProvider" in log


def test_bfloat16_is_used_for_the_version_that_was_exported_for_it(tiny_server: EmbeddedTriton) -> None:
    log = tiny_server.log_path.read_text()
    hint = "bf16" if bf16_supported(Path("/proc/cpuinfo").read_text()) else "f32"
    told = "{'INFERENCE_PRECISION_HINT': '%s', 'ENABLE_CPU_PINNING': 'NO', 'INFERENCE_NUM_THREADS': '1'}: %s"
    assert "network_bf16_0_0 version 1: openvino with " + told % (hint, "the version was exported as bf16") in log
    assert "network_unmarked_0_0 version 1: openvino with " + told % ("f32", "the version does not say") in log


def test_a_text_that_is_not_utf8_is_refused_and_its_neighbours_are_answered(client: grpc.InferenceServerClient) -> None:
    texts = [b"a", b"\xff", "ñandú".encode(), b""]
    before = executions(client, "look_up")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: look_up(client, 1, text), texts))
    refused = answers.pop(1)
    assert isinstance(refused, InferenceServerException)
    assert refused.status() == "StatusCode.INVALID_ARGUMENT"
    assert "TEXT is not UTF-8" in str(refused)
    assert [answer["TEXT_OUT"][0, 0] for answer in answers] == [b"a", "ñandú".encode(), b""]
    assert runs_since(client, "look_up", before, items=4) < 4  # they did come as a batch


def test_a_request_that_fails_inside_the_graph_fails_alone(client: grpc.InferenceServerClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda index: look_up(client, index), [0, 99, 2, 3]))
    failed = answers.pop(1)
    assert isinstance(failed, InferenceServerException)
    assert "99" in str(failed)
    assert [answer["ITEM"][0, 0] for answer in answers] == [10, 12, 13]


def test_sizes_that_contradict_each_other_are_refused_by_name(client: grpc.InferenceServerClient) -> None:
    refused = look_up(client, 0, right=3)
    assert isinstance(refused, InferenceServerException)
    assert refused.status() == "StatusCode.INVALID_ARGUMENT"
    assert "RIGHT has size 3 in dimension 1, LEFT has 2" in str(refused)


def test_every_type_passes_through_unchanged_scalars_and_texts_included(client: grpc.InferenceServerClient) -> None:
    names = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"]
    numbers = np.array([[0, 1], [2, 3], [100, 127]])
    arrays = {f"IN_{name}": numbers.astype(kind) for name, kind in zip(names, PLAIN_TYPES + FLOAT_TYPES, strict=True)}
    arrays["IN_STRING"] = np.array([[b"", "año".encode()], [b"b", b"c d"], [b"\0", b"e"]], np.object_)
    arrays["IN_SCALAR"] = np.array([1.5], np.float32)
    answers = infer(client, "types", arrays)
    for name, array in arrays.items():
        answer = answers[name.replace("IN_", "OUT_")]
        assert answer.dtype == array.dtype
        assert answer.tolist() == array.tolist()
    assert set(infer(client, "types", arrays, outputs=["OUT_INT8"])) == {"OUT_INT8"}
    empty = {name: array[:0] if array.ndim == 2 else array for name, array in arrays.items()}
    assert infer(client, "types", empty)["OUT_FP32"].shape == (0, 2)


def test_what_does_not_fit_fails_the_load_and_says_why(tiny_models: Path, tmp_path: Path) -> None:
    misfits = ["wrong_shape", "no_graph"]
    with pytest.raises(TritonStartFailed) as failure:
        EmbeddedTriton(misfits, repository=tiny_models, run_dir=tmp_path).start()
    text = str(failure.value)
    assert "not loaded: no_graph, wrong_shape" in text
    assert "input 'X': the config says the shape with the batch is [-1, 4], the graph [-1, 3]" in text
    assert "model.onnx" in text
    assert "INVALID_PROTOBUF" in text or "Protobuf" in text


def test_a_warm_up_that_fails_fails_the_load(tiny_models: Path, tmp_path: Path) -> None:
    # Triton 24.10 now and then dies of a failed warm-up; either way the reason is in the message.
    with pytest.raises(TritonStartFailed, match="indices element out of data bounds"):
        EmbeddedTriton(["look_too_far"], repository=tiny_models, run_dir=tmp_path).start()
