"""Runs one program and cleans up after it, whatever happens to the program or to whoever started it.

A program like tritonserver has children of its own (stubs) and files in /dev/shm, and would outlive a parent that was
killed. So it is started through this small supervisor:

- SIGTERM (or SIGINT): the program gets SIGTERM, and SIGKILL once its grace is over.
- The parent is gone (`--parent`): the same.
- The program has ended, however: what it left of its session is killed and reaped, its shared memory files and its
  temporary folder are removed.

Run as a script, isolated and without site-packages; standard library only. It must lead its own session.
`--go-fd`: an inherited descriptor; the program starts when a byte comes from it, and never when it is closed before. So
whoever starts a guard can write down its pid first, and if it dies before that, nothing was started.
`--pid-fd`: an inherited descriptor to which the program's pid is written. The exit status is the program's own, or
128 + the signal that ended it.
"""

import argparse
import ctypes
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_PARENT_CHECK_S = 0.5


def main(argv: list[str]) -> int:
    """Run the program named in `argv` to its end; return the exit status."""
    arguments = _parse(argv)
    if arguments.go_fd is not None and not os.read(arguments.go_fd, 1):
        return 0
    if arguments.shm_prefix:
        _remove_shared_memory(arguments.shm_prefix)  # of a predecessor whose guard was killed
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)  # from here on taken one by one, by sigtimedwait
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphaned grandchildren become ours to reap
    pid = _spawn(libc, arguments.command)
    if arguments.pid_fd is not None:
        os.write(arguments.pid_fd, f"{pid}\n".encode())
        os.close(arguments.pid_fd)
    status = _supervise(pid, arguments.parent, arguments.grace_s)
    _kill_session_leftovers()
    if arguments.shm_prefix:
        _remove_shared_memory(arguments.shm_prefix)
    if arguments.temporary is not None:
        shutil.rmtree(arguments.temporary, ignore_errors=True)
    return status


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parent", type=int, help="pid that must stay our parent")
    parser.add_argument("--grace-s", type=float, default=10.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("--shm-prefix", default="", help="files of /dev/shm with this prefix are the program's")
    parser.add_argument("--temporary", type=Path, help="folder that goes with the program")
    parser.add_argument("--pid-fd", type=int)
    parser.add_argument("--go-fd", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args(argv)


def _spawn(libc: ctypes.CDLL, command: list[str]) -> int:
    pid = os.fork()  # single-threaded here, so plain fork is safe
    if pid:
        return pid
    try:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # the last net: this guard itself was killed
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        os.execvp(command[0], command)  # noqa: S606 - running the given program is the purpose
    except OSError as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode())
    os._exit(127)


def _supervise(pid: int, parent: int | None, grace_s: float) -> int:
    """Wait for the program's end; ask for it when told to, or when the parent is gone."""
    kill_at: float | None = None
    while True:
        status = _reap(pid)
        if status is not None:
            return status
        if kill_at is not None and time.monotonic() >= kill_at:
            _send(pid, signal.SIGKILL)
        received = signal.sigtimedwait(_WATCHED, _PARENT_CHECK_S if kill_at is None else 0.05)
        asked = received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT)
        orphaned = parent is not None and os.getppid() != parent
        if kill_at is None and (asked or orphaned):
            _send(pid, signal.SIGTERM)
            kill_at = time.monotonic() + grace_s


def _reap(pid: int) -> int | None:
    """Reap whatever has ended; return the program's exit status once it is among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if ended == 0:
            return None


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _kill_session_leftovers() -> None:
    """Kill and reap the rest of our session: stubs that a killed server left behind."""
    me = os.getpid()
    for _ in range(100):  # a leftover may fork while we look; each round finds the rest
        left = [pid for pid in _session_members(me) if pid != me]
        if not left:
            return
        for pid in left:
            _send(pid, signal.SIGKILL)
        time.sleep(0.02)
        _reap(-1)


def _session_members(session: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = stat.read_bytes().split(b" ", 1)
        except OSError:  # it has ended meanwhile
            continue
        if int(fields.rpartition(b")")[2].split()[3]) == session:  # field 6 of proc(5)
            members.append(int(pid))
    return members


def _remove_shared_memory(prefix: str) -> None:
    for path in Path("/dev/shm").iterdir():  # noqa: S108 - where shm_open puts its files
        if path.name.startswith(prefix):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
