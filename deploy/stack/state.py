"""What is remembered of a running stack: `.run/stack.json`, readable by its owner only."""

import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.files import write_private
from deploy.processes import ProcessRecord

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service that was started."""

    record: ProcessRecord
    inputs: str
    """Fingerprint of the code and settings that it was started with."""
    ports: dict[str, int] = field(default_factory=dict)
    """Where it listens at 127.0.0.1, by purpose."""


class StackState:
    """The services by name, in the order in which they were started. Every change is written at once."""

    def __init__(self, path: Path) -> None:
        """Read what is there; a file of another version (or a damaged one) is an error, for it may name processes."""
        self._path = path
        self._lock = threading.Lock()  # two services start side by side
        self._services: dict[str, ServiceState] = {}
        if path.is_file():
            raw = json.loads(path.read_text(encoding="utf-8"))
            if raw["version"] != _VERSION:
                raise ValueError(
                    f"{path} was written by another version: stop that stack with it, then delete the file"
                )
            for name, entry in raw["services"].items():
                record = ProcessRecord(**entry["record"])
                self._services[name] = ServiceState(record, entry["inputs"], entry["ports"])

    def get(self, name: str) -> ServiceState | None:
        """Return what is known of a service."""
        return self._services.get(name)

    def names(self) -> list[str]:
        """Return the known services, in the order of their start."""
        return list(self._services)

    def put(self, name: str, service: ServiceState) -> None:
        """Remember a service that was just started."""
        with self._lock:
            self._services.pop(name, None)
            self._services[name] = service
            self._save()

    def drop(self, name: str) -> None:
        """Forget a service that was stopped."""
        with self._lock:
            if self._services.pop(name, None) is not None:
                self._save()

    def _save(self) -> None:
        if not self._services:
            self._path.unlink(missing_ok=True)
            return
        services = {name: asdict(service) for name, service in self._services.items()}
        write_private(self._path, json.dumps({"version": _VERSION, "services": services}, indent=1))
