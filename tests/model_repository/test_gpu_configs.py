"""The configurations for GPU servers, held against the exporters: no server here can load them."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from client.config_file import read_config_file
from export.family import FAMILIES, family
from export.precision.plan_builder import WORKSPACE_BYTES
from export.precision.plan_shapes import profile_shapes
from export.signature import check_config

REPOSITORY = Path(__file__).parents[2] / "model_repository"
FAMILY_OF = {each.triton_model: each for each in map(family, FAMILIES) if "tensorrt" in each.precisions}
CONFIGS = sorted(REPOSITORY.glob("*/configs/gpu_*.pbtxt"))
ONLY_ON_CPU = {"intra_op_thread_count", "finite.MEL", "smallest.FRAMES", "most_elements.FRAMES"}
"""Parameters of the embedded backend, which Triton's own does not know."""


def parsed(path):
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def name(path):
    return f"{path.parents[1].name}-{path.stem}"


def test_every_model_that_is_exported_for_tensorrt_has_both():
    assert {path.parents[1].name for path in CONFIGS if path.stem == "gpu_ort"} == set(FAMILY_OF)
    assert {path.parents[1].name for path in CONFIGS if path.stem == "gpu_tensorrt"} == set(FAMILY_OF)


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_it_promises_what_the_exporter_and_the_default_promise(path):
    model = path.parents[1].name
    check_config(read_config_file(path), FAMILY_OF[model].signature)
    gpu, cpu = parsed(path), parsed(path.parents[1] / "config.pbtxt")
    assert gpu.name == cpu.name == model
    assert list(gpu.input) == list(cpu.input)
    assert list(gpu.output) == list(cpu.output)
    stated = {key: value for key, value in cpu.parameters.items() if key not in ONLY_ON_CPU}
    assert dict(gpu.parameters) == stated


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_it_runs_on_the_gpu_in_batches_that_the_profile_holds(path):
    config = parsed(path)
    shapes = profile_shapes(FAMILY_OF[config.name].signature.inputs).values()
    assert {shape.most[0] for shape in shapes} == {config.max_batch_size}
    assert [group.kind for group in config.instance_group] == [model_config_pb2.ModelInstanceGroup.KIND_GPU]
    batching = config.dynamic_batching
    assert max(batching.preferred_batch_size) == config.max_batch_size
    assert not batching.HasField("default_queue_policy")
    tuned = {shape.tuned[0] for shape in shapes}
    assert tuned | {1, config.max_batch_size} == {sample.batch_size for sample in config.model_warmup}
    for sample in config.model_warmup:
        assert set(sample.inputs) == {tensor.name for tensor in config.input}


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem == "gpu_ort"], ids=name)
def test_onnx_runtime_gets_the_same_profile_as_the_plans(path):
    config = parsed(path)
    assert config.backend == "onnxruntime"
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    assert accelerator.parameters["precision_mode"] == "FP16"
    assert int(accelerator.parameters["max_workspace_size_bytes"]) == WORKSPACE_BYTES
    shapes = profile_shapes(FAMILY_OF[config.name].signature.inputs)
    for key, which in (("min", "least"), ("opt", "tuned"), ("max", "most")):
        wanted = ",".join(f"{each}:{'x'.join(map(str, getattr(sizes, which)))}" for each, sizes in shapes.items())
        assert accelerator.parameters[f"trt_profile_{key}_shapes"] == wanted


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.stem == "gpu_tensorrt"], ids=name)
def test_plans_are_served_by_tensorrt(path):
    config = parsed(path)
    assert (config.backend, config.platform, config.default_model_filename) == (
        "tensorrt", "tensorrt_plan", "model.plan",
    )  # fmt: skip
    assert not config.optimization.HasField("execution_accelerators")
