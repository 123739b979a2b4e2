"""Every configuration of every profile: parsed by Triton's protobuf, held against exporters and task contracts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from client.config_file import read_config_file
from client.contracts import Task
from deploy.triton.profiles import PROFILES
from export.family import FAMILIES, family
from export.sentence_boundary.family import FAMILY as BOUNDARY
from export.signature import check_config

REPOSITORY = Path(__file__).parents[2] / "model_repository"
MODELS = sorted(path.parent.name for path in REPOSITORY.glob("*/config.pbtxt"))
CASES = [(profile, model) for profile in PROFILES for model in MODELS]
FAMILY_OF = {each.triton_model: each for each in (*map(family, FAMILIES), BOUNDARY)}

ENGINES = {
    Task.STT: ("stt_pocketsphinx", "stt_whisper"),
    Task.MT: ("mt_apertium", "mt_opus"),
    Task.TTS: ("tts_espeak",),
    Task.FACES: ("faces_haar", "faces_s3fd"),
    Task.LIPS: ("lips_warp", "lips_wav2lip"),
    Task.BOUNDARY: ("sentence_boundary",),
}
TEXT = ("STRING", (1,))
AUDIO = ("FP32", (-1,))
NUMBER = ("FP32", (1,))
PICTURE = ("UINT8", (-1, -1, 3))
CONTRACTS = {
    Task.STT: (
        {"AUDIO": AUDIO, "LANGUAGE": TEXT},
        {"TEXT": TEXT, "LANGUAGE": TEXT, "NO_SPEECH_PROBABILITY": NUMBER, "MEAN_LOGPROB": NUMBER},
    ),
    Task.MT: ({"TEXT": TEXT, "SOURCE_LANGUAGE": TEXT, "TARGET_LANGUAGE": TEXT}, {"TEXT": TEXT}),
    Task.TTS: (
        {"TEXT": TEXT, "LANGUAGE": TEXT, "SPEAKER_AUDIO": AUDIO, "SPEED": NUMBER},
        {"AUDIO": AUDIO, "SAMPLE_RATE_HZ": ("INT32", (1,))},
    ),
    Task.FACES: ({"FRAMES": PICTURE}, {"BOXES": ("FP32", (-1, 5))}),
    Task.LIPS: ({"FACES": PICTURE, "MEL": ("FP32", (80, 16))}, {"FACES": PICTURE}),
    Task.BOUNDARY: ({"TEXT": TEXT}, {"COMPLETE": NUMBER}),
}
"""Inputs and outputs of each task: name -> type and dims; -1 where an engine may name a size."""
BATCHED = {Task.FACES, Task.LIPS, Task.BOUNDARY}
BACKENDS = {"cpu": {"python", "onnxruntime", "generate", "ensemble"}}
BACKENDS["gpu_ort"] = BACKENDS["cpu"]
BACKENDS["gpu_tensorrt"] = {*BACKENDS["cpu"], "tensorrt"}


def path_of(profile: str, model: str) -> Path:
    """The file that tritonserver --model-config-name takes."""
    named = REPOSITORY / model / "configs" / f"{PROFILES[profile]}.pbtxt"
    return named if named.is_file() else REPOSITORY / model / "config.pbtxt"


def parsed(profile: str, model: str) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path_of(profile, model).read_text("utf-8"), model_config_pb2.ModelConfig())


def tensors(listed) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {each.name: (each.data_type, each.dims) for each in listed}


def fits(dims: tuple[int, ...], promised: tuple[int, ...]) -> bool:
    """Whether a caller who goes by `promised` can deal with `dims`; -1 in either is any size."""
    return len(dims) == len(promised) and all(-1 in (a, b) or a == b for a, b in zip(dims, promised, strict=True))


def mismatches(found: dict, promised: dict) -> Iterator[str]:
    for name, (data_type, dims) in promised.items():
        if name not in found:
            yield f"{name} is missing"
        elif found[name][0] != data_type or not fits(found[name][1], dims):
            yield f"{name} is {found[name]}, not {(data_type, dims)}"


def test_no_configuration_has_a_name_that_no_profile_takes():
    found = {path.stem for path in REPOSITORY.glob("*/configs/*.pbtxt")}
    assert found == {name for name in PROFILES.values() if name}
    assert not [path for path in REPOSITORY.glob("*/configs/*") if path.suffix != ".pbtxt"]


@pytest.mark.parametrize(("profile", "model"), CASES)
def test_it_parses_and_is_complete(profile, model):
    config = parsed(profile, model)
    assert config.name == model
    assert config.input
    assert config.output
    assert (config.backend or config.platform) in BACKENDS[profile]
    assert config.instance_group or config.platform == "ensemble"
    on_gpu = {group.kind for group in config.instance_group} == {model_config_pb2.ModelInstanceGroup.KIND_GPU}
    assert on_gpu == (path_of(profile, model).name != "config.pbtxt")
    assert profile != "cpu" or not on_gpu


@pytest.mark.parametrize(("profile", "model"), [case for case in CASES if case[1] in FAMILY_OF])
def test_it_promises_what_the_exporter_makes(profile, model):
    check_config(read_config_file(path_of(profile, model)), FAMILY_OF[model].signature)


def test_every_exporter_of_one_graph_has_a_model():
    assert set(FAMILY_OF) <= set(MODELS)


@pytest.mark.parametrize(("profile", "task", "model"), [(p, t, m) for p in PROFILES for t in Task for m in ENGINES[t]])
def test_an_engine_keeps_its_task_s_contract(profile, task, model):
    config, raw = read_config_file(path_of(profile, model)), parsed(profile, model)
    wanted, promised = CONTRACTS[task]
    inputs, outputs = tensors(config.inputs), tensors(config.outputs)
    stated = raw.parameters["output"].string_value if "output" in raw.parameters else ""
    if stated:  # an engine that is one graph names its output otherwise (client/contracts.py, LipsProfile.output)
        outputs = {next(iter(promised)): outputs[stated]}
    assert [*mismatches(inputs, wanted), *mismatches(outputs, promised)] == []
    assert set(inputs) == set(wanted), "callers feed no other input"
    assert (config.max_batch_size > 0) or task not in BATCHED
    assert raw.model_transaction_policy.decoupled == (task is Task.TTS)


def ensembles(profile: str) -> list[str]:
    return [model for model in MODELS if parsed(profile, model).platform == "ensemble"]


@pytest.mark.parametrize(("profile", "model"), [(p, m) for p in PROFILES for m in ensembles(p)])
def test_the_steps_of_an_ensemble_fit_each_other(profile, model):
    whole = read_config_file(path_of(profile, model))
    known = tensors(whole.inputs)
    for step in parsed(profile, model).ensemble_scheduling.step:
        part = read_config_file(path_of(profile, step.model_name))
        assert part.max_batch_size >= whole.max_batch_size
        inputs, outputs = tensors(part.inputs), tensors(part.outputs)
        assert set(step.input_map) == set(inputs)
        assert [*mismatches({name: known[source] for name, source in step.input_map.items()}, inputs)] == []
        known |= {target: outputs[name] for name, target in step.output_map.items()}
    assert [*mismatches(known, tensors(whole.outputs))] == []
