"""The embedded Triton server: the real tritonserver from PyPI's `nvidia-pytriton`, on loopback. Standard library only.

It serves the same model repository as Triton's container does; see wheel.py for how its backends are laid out and
deploy/guard.py for what ends it. It loads only the models named, and what they need: Triton pulls an ensemble's steps
along, parts.py names the models that a routing engine calls.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.errors import TritonStartFailed
from deploy.processes import GuardedProcess, Launch, ProcessRecord, free_ports, tail
from deploy.triton import status
from deploy.triton.absent import why_absent
from deploy.triton.parts import with_parts
from deploy.triton.wheel import TritonWheel, assemble_backends, find_wheel

CHECKOUT = Path(__file__).parents[2]
_BACKENDS = "backends"
_MODELS = "models"
# Triton starts a stub by a command line that it does not quote: a blank in a path would tear it apart.
_SAFE_PATH = re.compile(r"[\w./+@%:=,-]+", re.ASCII)
_POLL_S = 0.05
_EXIT_TIMEOUT_S = 5  # Triton's own wait for requests in flight; the guard kills it after _GRACE_S
_GRACE_S = 10.0


class EmbeddedTriton:
    """One tritonserver with the named models. Use as a context manager, or call `start` and `stop`."""

    def __init__(
        self,
        models: Sequence[str],
        *,
        repository: Path = CHECKOUT / "model_repository",
        server_venv: Path = CHECKOUT / ".venv-triton",
        run_dir: Path = CHECKOUT / ".run" / "triton",
        extra_env: Mapping[str, str] | None = None,
        extra_args: Sequence[str] = (),
        ports: tuple[int, int, int] | None = None,
        owned: bool = True,
        ready_timeout_s: float = 120.0,
    ) -> None:
        """Prepare a server.

        Args:
            models: names of the models to load; of `repository` nothing else is but what these need.
            repository: Triton's model repository.
            server_venv: virtual environment that holds nvidia-pytriton.
            run_dir: for the log and the assembled backends; belongs to one server at a time.
            extra_env: further environment variables for the server and its models.
            extra_args: further options of tritonserver.
            ports: HTTP, gRPC, metrics; free ones by default.
            owned: end the server when this process ends, however. False: it stays until stopped by its record.
            ready_timeout_s: how long loading the models may take.
        """
        self.models = tuple(models)
        self._loaded = self.models
        self.log_path = run_dir / "triton.log"
        self._repository = repository
        self._server_venv = server_venv
        self._run_dir = run_dir
        self._extra_env = dict(extra_env or {})
        self._extra_args = tuple(extra_args)
        self._owned = owned
        self._ready_timeout_s = ready_timeout_s
        self.http_port, self.grpc_port, self.metrics_port = ports or free_ports(3)
        self._process: GuardedProcess | None = None

    @property
    def grpc_url(self) -> str:
        """host:port, as tritonclient wants it."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def http_url(self) -> str:
        """Base URL of the HTTP API."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def metrics_url(self) -> str:
        """Prometheus metrics."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def process(self) -> GuardedProcess:
        """The running server; an assertion when it was not started."""
        assert self._process is not None, "start() first"
        return self._process

    @property
    def pid(self) -> int:
        """Process id of tritonserver itself."""
        return self.process.pid

    def start(self, on_launch: Callable[[ProcessRecord], None] | None = None) -> Self:
        """Start the server and wait until every named model is ready.

        `on_launch` is told of the process before it runs: whoever keeps a server that is not `owned` must
        know of it even if it is itself killed meanwhile.

        Raises:
            SetupMissing: the server's environment is not installed.
            TritonStartFailed: the server ended, a model did not load (with the model's own error), or time ran out.
        """
        wheel = find_wheel(self._server_venv)
        self._loaded = with_parts(self._repository, self.models)
        self._run_dir.mkdir(parents=True, exist_ok=True)
        workspace = self._run_dir.resolve()
        temporary = None
        if not _SAFE_PATH.fullmatch(str(workspace)):
            workspace = temporary = Path(tempfile.mkdtemp(prefix="polylip-triton-"))
        _lay_out(wheel, self._repository, workspace)
        self.log_path.unlink(missing_ok=True)  # the log is of this run, so that its tail tells of this run
        # One prefix for each run folder: files of a server whose guard was killed too are found by the next start.
        shm_prefix = f"polylip_{hashlib.sha256(bytes(self._run_dir.resolve())).hexdigest()[:8]}_"
        launch = Launch(
            command=self._command(wheel, workspace, shm_prefix),
            log_path=self.log_path,
            env=self._environment(wheel),
            cwd=self._run_dir,
            owned=self._owned,
            grace_s=_GRACE_S,
            shm_prefix=shm_prefix,
            temporary=temporary,
        )
        self._process = GuardedProcess(launch, on_launch)
        try:
            self._wait_until_ready()
        except BaseException:  # also a Ctrl-C while models load: leave nothing behind
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server, its stubs and its shared memory; harmless when it is not running."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self, wheel: TritonWheel, workspace: Path, shm_prefix: str) -> list[str]:
        options = {
            "model-repository": workspace / _MODELS,
            "backend-directory": workspace / _BACKENDS,
            "model-control-mode": "explicit",
            "exit-on-error": "false",  # stay up and tell in the index which model failed and why
            "exit-timeout-secs": _EXIT_TIMEOUT_S,
            "backend-config": f"python,shm-region-prefix-name={shm_prefix}",
            "http-address": "127.0.0.1",
            "http-port": self.http_port,
            "grpc-address": "127.0.0.1",
            "grpc-port": self.grpc_port,
            "metrics-address": "127.0.0.1",
            "metrics-port": self.metrics_port,
            "allow-gpu-metrics": "false",
            "grpc-infer-allocation-pool-size": 0,  # the pool keeps large messages: gigabytes after some frames
        }
        command = [str(wheel.binary), "--disable-auto-complete-config"]  # starts in a quarter of the time
        command += [f"--{name}={value}" for name, value in options.items()]
        command += [f"--load-model={name}" for name in self._loaded]
        return [*command, *self._extra_args]

    def _environment(self, wheel: TritonWheel) -> dict[str, str]:
        environment = {**os.environ, **self._extra_env}
        environment["LD_LIBRARY_PATH"] = wheel.library_path()
        # The stubs take the site-packages of the python3 that they find first.
        environment["PATH"] = os.pathsep.join([str(wheel.venv.resolve() / "bin"), environment.get("PATH", os.defpath)])
        return environment

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_timeout_s
        while not status.is_live(self.http_url):
            self._require_running()
            if time.monotonic() >= deadline:
                raise TritonStartFailed(f"not ready within {self._ready_timeout_s:g} s\n{self._log_tail()}")
            time.sleep(_POLL_S)
        failed = status.failures(
            self._loaded, status.repository_index(self.http_url), partial(why_absent, self._repository)
        )
        self._require_running()  # else the answer was somebody else's, who took the port just before
        if failed:
            reasons = "\n".join(f"{model.name} {model.version}: {model.reason}" for model in failed)
            raise TritonStartFailed(f"not loaded: {', '.join(sorted({m.name for m in failed}))}\n{reasons}")

    def _require_running(self) -> None:
        if not self.process.is_running():
            raise TritonStartFailed(f"tritonserver ended with status {self.process.exit_status}\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return f"last lines of {self.log_path}:\n{tail(self.log_path)}"


def _lay_out(wheel: TritonWheel, repository: Path, workspace: Path) -> None:
    """Put the backends and a link to the model repository where Triton will look for them."""
    assemble_backends(wheel, workspace / _BACKENDS)
    link = workspace / _MODELS
    link.unlink(missing_ok=True)
    link.symlink_to(repository.resolve())
