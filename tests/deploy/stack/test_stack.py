"""The whole stack, of real processes, without a clip."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.processes import ProcessRecord, session_members
from deploy.rabbitmq.node import RabbitNode
from deploy.stack import Stack
from deploy.stack.services import COMMANDS, RABBITMQ, TRITON, gateway_is_ready
from deploy.stack.state import StackState
from deploy.triton.embedded import CHECKOUT
from tests.waiting import eventually

ALL = {RABBITMQ, TRITON, *COMMANDS}


def records(run_dir: Path) -> dict[str, ProcessRecord]:
    state = StackState(run_dir / "stack.json")
    services = {name: state.get(name) for name in state.names()}
    return {name: service.record for name, service in services.items() if service is not None}


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POLYLIP_GATEWAY__PORT", "0")  # any: port 8600 may be another stack's
    return tmp_path / "run"


@pytest.mark.triton
@pytest.mark.rabbitmq
def test_the_stack_keeps_what_runs_replaces_what_died_or_changed_and_leaves_nothing(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(run_dir)
    try:
        info = stack.up()
        first = records(run_dir)
        assert set(first) == ALL
        assert gateway_is_ready(info.gateway_url)

        os.kill(first["worker-mt"].pid, signal.SIGKILL)
        assert first["worker-mt"].wait(timeout_s=10)
        assert stack.dead() == ["worker-mt"]
        assert Stack(run_dir).up() == info  # another object, as another command would have
        second = records(run_dir)
        assert {name for name in ALL if second[name] != first[name]} == {"worker-mt"}

        monkeypatch.setenv("POLYLIP_LOG_LEVEL", "DEBUG")
        assert stack.up().triton_grpc_url == info.triton_grpc_url
        third = records(run_dir)
        assert {name for name in ALL if third[name] != second[name]} == set(COMMANDS)
    finally:
        started = records(run_dir)
        stack.down()
    assert [pid for record in started.values() for pid in session_members(record.pid)] == []
    assert set(stack.status().values()) == {"not started"}
    stack.down()  # a second time does no harm


@pytest.mark.triton
@pytest.mark.rabbitmq
def test_a_start_that_was_killed_half_way_is_cleaned_up_by_down(run_dir: Path) -> None:
    code = "import sys; from pathlib import Path; from deploy.stack import Stack; Stack(Path(sys.argv[1])).up()"
    with subprocess.Popen([sys.executable, "-c", code, str(run_dir)], cwd=CHECKOUT) as starting:
        eventually(lambda: TRITON in records(run_dir), 30, "Triton's launch")
        starting.kill()
    sessions = [record.pid for record in (*records(run_dir).values(), *RabbitNode(run_dir / "rabbitmq").records)]
    assert any(session_members(session) for session in sessions)
    Stack(run_dir).down()
    assert [pid for session in sessions for pid in session_members(session)] == []


@pytest.mark.triton
@pytest.mark.rabbitmq
def test_a_part_that_cannot_start_takes_the_others_of_this_call_down_again(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYLIP_ENGINES__MT", "no_such_engine")
    with pytest.raises(DeployError, match="no_such_engine"):
        Stack(run_dir).up()
    assert not (run_dir / "stack.json").exists()


def test_a_port_that_the_user_names_is_not_silently_replaced(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("POLYLIP_GATEWAY__PORT", str(port))
        with pytest.raises(DeployError, match=f"port {port} .* is taken"):
            Stack(run_dir).up()
    assert not (run_dir / "stack.json").exists()
