"""Long-lived child processes: start, recognise and stop them, find ports for them. Standard library only."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_POLL_S = 0.02
_KILLED_WITHIN_S = 5.0
# Below the kernel's range for outgoing connections (32768 on Linux), so that no connection takes a port between the
# check here and the server's bind; above the usual services.
_PORT_RANGE = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that can be recognised later, also by another program."""

    pid: int
    start_ticks: int
    """Field 22 of /proc/<pid>/stat: a recycled pid has another one."""

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord":
        """Describe a running process; ProcessLookupError when it is gone."""
        stat = _read_stat(pid)
        if stat is None:
            raise ProcessLookupError(pid)
        return cls(pid, stat[1])

    def is_running(self) -> bool:
        """Tell whether exactly this process still runs (a zombie does not, once its last thread has ended)."""
        stat = _read_stat(self.pid)
        if stat is None or stat[1] != self.start_ticks:
            return False
        return stat[0] != "Z" or _has_threads(self.pid)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; False when it still runs after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def stop(self, grace_s: float) -> None:
        """End it: SIGTERM, and SIGKILL when it still runs after `grace_s`. Gone already: fine.

        What is left of its session then, by a leader that was itself killed for instance, is killed too.
        """
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        self.wait(grace_s)
        stat = _read_stat(self.pid)
        if stat is not None and stat[1] != self.start_ticks:
            return  # the pid is a stranger's, so nothing of the session was left: the kernel reuses no session's number
        for pid in session_members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait(_KILLED_WITHIN_S)


def session_members(session: int) -> list[int]:
    """Return the pids of all processes of a session, zombies left out."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    stats = {pid: _read_stat(pid) for pid in pids}
    return [pid for pid, stat in stats.items() if stat is not None and stat[2] == session and stat[0] != "Z"]


def _has_threads(pid: int) -> bool:
    """Tell whether a zombie has other threads: a killed process keeps its sockets until the last of them has ended."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def _read_stat(pid: int) -> tuple[str, int, int] | None:
    """Return state, start ticks and session of a process, None when there is none. Source: proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return fields[0], int(fields[19]), int(fields[3])


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, and how it is watched over."""

    command: Sequence[str]
    log_path: Path
    """stdout and stderr are appended here."""
    env: Mapping[str, str]
    cwd: Path | None = None
    owned: bool = True
    """It ends when the process that started it ends, even by SIGKILL. False: it stays until it is stopped."""
    grace_s: float = 10.0
    """Between SIGTERM and SIGKILL."""
    shm_prefix: str = ""
    """Files of /dev/shm that are its own and go with it (with a guard only, as is the next)."""
    temporary: Path | None = None
    """Folder that is its own and goes with it."""


class GuardedProcess:
    """A program under deploy/guard.py, in a session of its own; see there for what the guard promises."""

    def __init__(self, launch: Launch, remember: Callable[[ProcessRecord], None] | None = None) -> None:
        """Start it.

        `remember` is told of the process before the program runs: should this process be killed at any moment, there
        is either a record to stop it by, or nothing to stop. What it raises is raised, and the program does not run.
        """
        self._grace_s = launch.grace_s
        pid_read, pid_write = os.pipe()
        go_read, go_write = os.pipe()
        with os.fdopen(pid_read, encoding="ascii") as pid_pipe, os.fdopen(go_write, "wb", buffering=0) as go_pipe:
            try:
                command = _guard_command(launch, pid_write, go_read)
                self._popen = _spawn(command, launch, pass_fds=(pid_write, go_read))
            finally:
                os.close(pid_write)
                os.close(go_read)
            _reap_in_background(self._popen)
            self.record = ProcessRecord.of(self._popen.pid)
            """The guard's: stopping it stops the program."""
            if remember is not None:
                remember(self.record)
            with contextlib.suppress(BrokenPipeError):  # it was stopped already: there is no pid either
                go_pipe.write(b"\n")
            self.pid = int(pid_pipe.readline() or 0)

    @property
    def exit_status(self) -> int | None:
        """None while it runs; then its own status, or 128 + the signal that ended it."""
        if self.record.is_running():
            return None
        return self._popen.wait(_KILLED_WITHIN_S)  # the thread that reaps it is about to know

    def is_running(self) -> bool:
        """Tell whether the program has not ended."""
        return self.record.is_running()

    def stop(self) -> None:
        """End the program and everything that it left; returns when nothing is left."""
        self.record.stop(self._grace_s + _KILLED_WITHIN_S)


def spawn_detached(launch: Launch) -> ProcessRecord:
    """Start a program without a guard, in a session of its own, to be stopped by its record."""
    popen = _spawn(launch.command, launch)
    record = ProcessRecord.of(popen.pid)
    _reap_in_background(popen)
    return record


def _guard_command(launch: Launch, pid_fd: int, go_fd: int) -> list[str]:
    command = [sys.executable, "-I", "-S", str(_GUARD), "--grace-s", str(launch.grace_s)]
    command += ["--pid-fd", str(pid_fd), "--go-fd", str(go_fd)]
    if launch.owned:
        command += ["--parent", str(os.getpid())]
    if launch.shm_prefix:
        command += ["--shm-prefix", launch.shm_prefix]
    if launch.temporary is not None:
        command += ["--temporary", str(launch.temporary)]
    return [*command, "--", *launch.command]


def _spawn(command: Sequence[str], launch: Launch, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    launch.log_path.parent.mkdir(parents=True, exist_ok=True)
    with launch.log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the command line is made by this package, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(launch.env),
            cwd=launch.cwd,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent, which then stops this in order
            pass_fds=pass_fds,
        )


def _reap_in_background(popen: subprocess.Popen[bytes]) -> None:
    """Wait for a child in a thread, so that it never stays a zombie and needs no owner."""
    threading.Thread(target=popen.wait, name=f"reap-{popen.pid}", daemon=True).start()


def free_ports(count: int) -> list[int]:
    """Return different TCP ports that nobody listens on at 127.0.0.1."""
    found: list[int] = []
    for port in random.sample(_PORT_RANGE, len(_PORT_RANGE)):
        if len(found) == count:
            return found
        if port_is_free(port):
            found.append(port)
    raise OSError(f"no {count} free ports between {_PORT_RANGE.start} and {_PORT_RANGE.stop}")


def port_is_free(port: int) -> bool:
    """Tell whether a server could bind 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(path: Path, lines: int = 40) -> str:
    """Return the last lines of a log, "" when there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 64 * 1024))
        return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])
