"""A running Apertium pipeline that answers request after request: 5 ms each, where starting it takes 200 ms."""

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Sequence

from apertium_stream import OutOfStep, from_stream, to_stream
from engine_kit.processes import child_environment

_READ_BYTES = 65_536
_STOP_WITHIN_S = 2.0


class PipelineDied(Exception):
    """One of the programs ended."""


class PipelineSlow(Exception):
    """No answer within the time given."""


class Pipeline:
    """Apertium's programs for one direction, chained by pipes. Not for several threads at once."""

    def __init__(self, commands: Sequence[Sequence[str]], answer_within_s: float) -> None:
        """Take the programs' argument lists; they are started by the first text."""
        self._commands = commands
        self._answer_within_s = answer_within_s
        self._processes: list[subprocess.Popen[bytes]] = []
        self._number = 0

    def translate(self, text: str) -> str:
        """Translate a text without NUL.

        Programs that died or fell out of step are replaced and asked once more. PipelineSlow: replaced, not asked
        again. PipelineDied or OutOfStep: the second try failed as well.
        """
        try:
            return self._ask(text)
        except (PipelineDied, OutOfStep):
            return self._ask(text)

    def stop(self) -> None:
        """End the programs."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(_STOP_WITHIN_S)
        for stream in [stream for process in processes for stream in (process.stdin, process.stdout) if stream]:
            stream.close()

    def _ask(self, text: str) -> str:
        self._number += 1
        try:
            if not self._processes:
                self._start()
            return from_stream(self._exchange(to_stream(text, self._number)), self._number)
        except BaseException:
            self.stop()  # whatever is still in the pipes must not reach the next request
            raise

    def _start(self) -> None:
        source: int | None = subprocess.PIPE
        environment = child_environment() | {"LC_ALL": "C.UTF-8"}  # the programs read the encoding from it
        for command in self._commands:
            process = subprocess.Popen(  # noqa: S603  # the installed mode file's programs, no shell
                command, stdin=source, stdout=subprocess.PIPE, env=environment
            )
            if self._processes:
                self._processes[-1].stdout.close()  # now the next program's: it must see the end when this one dies
            self._processes.append(process)
            source = process.stdout
        os.set_blocking(self._processes[0].stdin.fileno(), False)
        os.set_blocking(self._processes[-1].stdout.fileno(), False)

    def _exchange(self, request: bytes) -> bytes:
        """Write the request and read up to the NUL that ends its answer, whichever the pipes are ready for."""
        end_s = time.monotonic() + self._answer_within_s
        sink, source = self._processes[0].stdin.fileno(), self._processes[-1].stdout.fileno()
        unsent, answer = memoryview(request), b""
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            selector.register(sink, selectors.EVENT_WRITE)
            while not answer.endswith(b"\0"):
                ready = {key.fd for key, _ in selector.select(max(0.0, end_s - time.monotonic()))}
                if not ready:
                    raise PipelineSlow(f"Apertium gave no answer within {self._answer_within_s:g} s")
                if sink in ready:
                    unsent = unsent[_write_some(sink, unsent) :]
                    if not unsent:
                        selector.unregister(sink)
                if source in ready:
                    answer += _read_some(source)
        return answer


def _write_some(sink: int, data: memoryview) -> int:
    try:
        return os.write(sink, data)
    except BrokenPipeError as error:
        raise PipelineDied("Apertium's first program has ended") from error


def _read_some(source: int) -> bytes:
    data = b""
    with contextlib.suppress(BlockingIOError):
        data = os.read(source, _READ_BYTES)
        if not data:
            raise PipelineDied("Apertium's last program has ended")
    return data
