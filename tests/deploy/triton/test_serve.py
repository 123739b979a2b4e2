"""The command of Triton's image."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.contracts import Task
from deploy.errors import TritonStartFailed
from deploy.triton import serve
from deploy.triton.embedded import CHECKOUT
from deploy.triton.profiles import PROFILES, UnknownProfile, profile_arguments
from orchestrator.settings import EngineSettings, TritonSettings

ENGINES = {f"POLYLIP_ENGINES__{task.upper()}": name for task, name in EngineSettings().model_dump().items()}
HERE = f"--model-repository={CHECKOUT / 'model_repository'}"


def test_it_knows_the_tasks_and_profiles_that_the_settings_know():
    assert [task.lower() for task in serve.TASKS] == list(EngineSettings.model_fields) == [task.value for task in Task]
    assert tuple(PROFILES) == TritonSettings.model_fields["profile"].annotation.__args__


def test_every_engine_is_loaded_once():
    both = ENGINES | {"POLYLIP_ENGINES__MT": "one", "POLYLIP_ENGINES__STT": "one", "POLYLIP_ENGINES__BOUNDARY": ""}
    assert serve.engine_names(both) == ["one", "tts_espeak", "faces_haar", "lips_warp"]
    command = serve.server_command(ENGINES, [HERE])
    assert [each for each in command if each.startswith("--load-model=")] == [
        f"--load-model={name}" for name in EngineSettings().names()
    ]
    assert "--model-control-mode=explicit" in command
    assert not [each for each in command if each.startswith("--model-config-name")]


def test_what_else_it_is_called_with_goes_to_the_server():
    command = serve.server_command(ENGINES, ["--model-repository=s3://models/polylip", "--log-verbose=1"])
    assert command[-2:] == ["--model-repository=s3://models/polylip", "--log-verbose=1"]
    assert f"--model-repository={serve.DEFAULT_REPOSITORY}" in serve.server_command(ENGINES)


def test_an_engine_that_is_not_named_stops_the_start():
    with pytest.raises(serve.ServeError, match="POLYLIP_ENGINES__LIPS"):
        serve.engine_names({name: value for name, value in ENGINES.items() if name != "POLYLIP_ENGINES__LIPS"})


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_triton_s_named_config(profile):
    command = serve.server_command({**ENGINES, serve.PROFILE: profile}, [HERE])
    names = [each for each in command if each.startswith("--model-config-name")]
    assert names == ([] if profile == "cpu" else [f"--model-config-name={profile}"])


def test_a_misspelt_profile_is_refused_though_triton_would_not_mind():
    with pytest.raises(UnknownProfile, match="gpu_ort, gpu_tensorrt"):
        profile_arguments("gpu-ort")


def test_a_routing_engine_without_parts_is_refused(tmp_path):
    config = tmp_path / "mt_router" / "config.pbtxt"
    config.parent.mkdir()
    config.write_text('parameters { key: "pair_models" value { string_value: "pair_*" } }')
    with pytest.raises(TritonStartFailed, match="pair_"):
        serve.server_command({**ENGINES, "POLYLIP_ENGINES__MT": "mt_router"}, [f"--model-repository={tmp_path}"])


def run(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-m", "deploy.triton.serve", *arguments],  # -S: no installed package can help
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_runs_with_nothing_but_the_files_of_the_image(tmp_path):
    for source in dockerfile_sources("deploy/images/triton.Dockerfile"):
        if source.suffix == ".py":
            (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / source, tmp_path / source)
    shown = run(tmp_path, ENGINES, "--print", HERE)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == "tritonserver"
    refused = run(tmp_path, {**ENGINES, serve.PROFILE: "gpu"}, "--print", HERE)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no profile 'gpu'" in refused.stderr


def dockerfile_sources(dockerfile: str) -> list[Path]:
    from deploy.check.dockerfile import read_dockerfile

    return [Path(source) for each in read_dockerfile(CHECKOUT / dockerfile).copies for source in each.sources]
