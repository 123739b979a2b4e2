import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from deploy.processes import (
    GuardedProcess,
    Launch,
    ProcessRecord,
    free_ports,
    port_is_free,
    session_members,
    spawn_detached,
    tail,
)
from tests.waiting import eventually

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def launch(tmp_path: Path, code: str, **changes: object) -> Launch:
    return Launch([sys.executable, "-c", code], tmp_path / "log", dict(os.environ), **changes)


def wait_for_line(path: Path, line: str) -> None:
    eventually(lambda: line in tail(path).splitlines(), 20, f"a line {line!r}")


def test_a_recycled_pid_is_not_taken_for_the_process() -> None:
    me = ProcessRecord.of(os.getpid())
    stranger = ProcessRecord(me.pid, me.start_ticks + 1)
    assert me.is_running()
    assert not stranger.is_running()
    stranger.stop(grace_s=0)  # and is not killed either


def test_a_detached_process_is_stopped_by_its_record_alone(tmp_path: Path) -> None:
    record = spawn_detached(launch(tmp_path, "print('up', flush=True); import time; time.sleep(600)"))
    wait_for_line(tmp_path / "log", "up")
    ProcessRecord(record.pid, record.start_ticks).stop(grace_s=10)
    assert not record.is_running()


def test_a_process_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    record = spawn_detached(launch(tmp_path, STUBBORN))
    wait_for_line(tmp_path / "log", "up")
    record.stop(grace_s=0.1)
    assert not record.is_running()


def test_the_guard_kills_what_ignores_it_and_reports_the_signal(tmp_path: Path) -> None:
    process = GuardedProcess(launch(tmp_path, STUBBORN, grace_s=0.1))
    wait_for_line(tmp_path / "log", "up")
    process.stop()
    assert process.exit_status == 128 + signal.SIGKILL
    assert session_members(process.record.pid) == []


def test_the_guard_passes_on_the_status_and_removes_what_is_the_programs(tmp_path: Path) -> None:
    folder, prefix = tmp_path / "temporary", f"polylip_test_{os.getpid()}_"
    folder.mkdir()
    leave = f"pathlib.Path('/dev/shm/{prefix}x').touch(); subprocess.Popen(['sleep', '600'])"
    code = f"import pathlib, subprocess; {leave}; exit(3)"
    process = GuardedProcess(launch(tmp_path, code, shm_prefix=prefix, temporary=folder))
    assert process.record.wait(timeout_s=20)
    assert process.exit_status == 3
    assert session_members(process.record.pid) == []  # the orphaned sleep
    assert not Path(f"/dev/shm/{prefix}x").exists()
    assert not folder.exists()


def test_a_program_runs_only_once_its_process_is_remembered(tmp_path: Path) -> None:
    def full_disk(record: ProcessRecord) -> None:
        remembered.append(record)
        raise OSError("no space left")

    remembered: list[ProcessRecord] = []
    with pytest.raises(OSError, match="no space left"):
        GuardedProcess(launch(tmp_path, "print('ran', flush=True)"), full_disk)
    assert remembered[0].wait(timeout_s=20)
    assert tail(tmp_path / "log") == ""


def test_what_a_killed_guard_left_goes_when_its_record_is_stopped(tmp_path: Path) -> None:
    """The program itself dies with the guard, its children do not."""
    child = f"subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])"
    process = GuardedProcess(launch(tmp_path, f"import subprocess, sys, time; {child}; time.sleep(600)"))
    wait_for_line(tmp_path / "log", "up")
    os.kill(process.record.pid, signal.SIGKILL)
    assert process.record.wait(timeout_s=20)
    process.record.stop(grace_s=0)
    eventually(lambda: session_members(process.record.pid) == [], 20, "the end of the orphan")


def test_a_guard_removes_what_a_killed_predecessor_left_in_shared_memory(tmp_path: Path) -> None:
    prefix = f"polylip_test_{os.getpid()}_"
    left = Path(f"/dev/shm/{prefix}left")
    left.touch()
    process = GuardedProcess(
        launch(tmp_path, "print('up', flush=True); import time; time.sleep(600)", shm_prefix=prefix)
    )
    wait_for_line(tmp_path / "log", "up")
    assert not left.exists()
    process.stop()


def test_a_program_that_is_not_there_ends_with_127_and_says_so(tmp_path: Path) -> None:
    process = GuardedProcess(Launch(["no-such-program"], tmp_path / "log", dict(os.environ)))
    assert process.record.wait(timeout_s=20)
    assert process.exit_status == 127
    assert "cannot run no-such-program" in tail(tmp_path / "log")


def test_free_ports_differ_and_avoid_listeners() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    with socket.create_server(("127.0.0.1", ports[0])):
        assert not port_is_free(ports[0])


@pytest.mark.parametrize(("lines", "expected"), [(2, "b\nc"), (9, "a\nb\nc")])
def test_the_tail_of_a_log(tmp_path: Path, lines: int, expected: str) -> None:
    (tmp_path / "log").write_text("a\nb\nc\n")
    assert tail(tmp_path / "log", lines) == expected
    assert tail(tmp_path / "none") == ""
