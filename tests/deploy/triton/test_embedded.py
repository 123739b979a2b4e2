"""The embedded server against tiny models written by the test."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import SetupMissing, TritonStartFailed
from deploy.processes import ProcessRecord, free_ports, session_members
from deploy.triton import status
from deploy.triton.embedded import CHECKOUT, EmbeddedTriton

CONFIG = """
backend: "python"
max_batch_size: 0
input { name: "X" data_type: TYPE_FP32 dims: [ -1 ] }
output { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] }
instance_group [{ kind: KIND_CPU count: 1 }]
"""
ECHO = """
import os
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def initialize(self, args):
        print("colour is", os.environ.get("COLOUR"), flush=True)
    def execute(self, requests):
        arrays = [pb_utils.get_input_tensor_by_name(request, "X").as_numpy() for request in requests]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("Y", array)]) for array in arrays]
"""
BROKEN = """
class TritonPythonModel:
    def initialize(self, args):
        raise ValueError("the weights are not there")
"""
ENSEMBLE = """
platform: "ensemble"
max_batch_size: 0
input { name: "X" data_type: TYPE_FP32 dims: [ -1 ] }
output { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] }
ensemble_scheduling { step [{ model_name: "echo" model_version: -1
  input_map { key: "X" value: "X" } output_map { key: "Y" value: "Y" } }] }
"""


def write_model(repository: Path, name: str, config: str, code: str | None) -> None:
    version = repository / name / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(config, encoding="utf-8")
    if code is not None:
        (version / "model.py").write_text(code, encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models with a blank"
    write_model(folder, "echo", CONFIG, ECHO)
    write_model(folder, "broken", CONFIG, BROKEN)
    write_model(folder, "both", ENSEMBLE, None)
    return folder


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def own_shared_memory(pid: int) -> set[str]:
    command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    prefix = next(word for word in command if "shm-region-prefix-name" in word).rpartition("=")[2]
    return {name for name in shared_memory() if name.startswith(prefix)}


@pytest.mark.triton
def test_only_the_named_models_load_and_an_ensemble_brings_its_steps(repository: Path, tmp_path: Path) -> None:
    with EmbeddedTriton(["both"], repository=repository, run_dir=tmp_path / "run dir") as server:
        ready = {entry.name for entry in status.repository_index(server.http_url) if entry.state == "READY"}
    assert ready == {"both", "echo"}


@pytest.mark.triton
def test_stopping_leaves_no_process_and_no_shared_memory(repository: Path, tmp_path: Path) -> None:
    server = EmbeddedTriton(["echo"], repository=repository, run_dir=tmp_path / "run", extra_env={"COLOUR": "teal"})
    with server:
        session = server.process.record.pid
        files = own_shared_memory(server.pid)
        assert len(session_members(session)) >= 3  # guard, server, stub
        assert files
    assert session_members(session) == []
    assert not files & shared_memory()
    assert "colour is teal" in server.log_path.read_text()
    server.stop()  # a second time does no harm


@pytest.mark.triton
def test_a_model_that_fails_to_load_is_named_with_its_own_error(repository: Path, tmp_path: Path) -> None:
    server = EmbeddedTriton(["echo", "broken"], repository=repository, run_dir=tmp_path / "run")
    with pytest.raises(TritonStartFailed, match=r"not loaded: broken\n(.|\n)*ValueError: the weights are not there"):
        server.start()
    with pytest.raises(AssertionError):
        _ = server.pid  # stopped again


@pytest.mark.triton
def test_a_model_that_does_not_exist_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(TritonStartFailed, match="nobody : not in the model repository"):
        EmbeddedTriton(["nobody"], repository=repository, run_dir=tmp_path / "run").start()


@pytest.mark.triton
def test_a_server_that_ends_early_shows_its_log(repository: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http, metrics = free_ports(2)
        ports = (http, taken.getsockname()[1], metrics)
        server = EmbeddedTriton(["echo"], repository=repository, run_dir=tmp_path / "run", ports=ports)
        with pytest.raises(TritonStartFailed, match=r"ended with status \d+(.|\n)*already in use"):
            server.start()


@pytest.mark.triton
def test_a_killed_parent_takes_its_server_along(repository: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from deploy.triton.embedded import EmbeddedTriton\n"
        "server = EmbeddedTriton(['echo'], repository=Path(sys.argv[1]), run_dir=Path(sys.argv[2])).start()\n"
        "print(server.pid, server.process.record.pid, flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(repository), str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, session = map(int, parent.stdout.readline().split())
        files, guard = own_shared_memory(pid), ProcessRecord.of(session)
        parent.send_signal(signal.SIGKILL)
    assert guard.wait(timeout_s=20)
    assert session_members(session) == []
    assert not files & shared_memory()


@pytest.mark.triton
def test_a_killed_server_is_cleaned_up_after(repository: Path, tmp_path: Path) -> None:
    with EmbeddedTriton(["echo"], repository=repository, run_dir=tmp_path / "run") as server:
        files, guard = own_shared_memory(server.pid), server.process.record
        os.kill(server.pid, signal.SIGKILL)
        assert guard.wait(timeout_s=20)
        assert server.process.exit_status == 128 + signal.SIGKILL
        assert not files & shared_memory()


def test_a_missing_environment_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(SetupMissing, match="make setup"):
        EmbeddedTriton(["echo"], server_venv=tmp_path / "none", run_dir=tmp_path / "run").start()
