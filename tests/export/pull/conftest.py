"""A hub on this machine, and everything that pulls from it without ever waiting."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from client.licences import Licence
from export.pull.puller import Pulled, Request, pull
from export.pull.transport import Transport
from tests.fakes.hub import FakeHub, running_hub


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture
def transport(hub: FakeHub) -> Iterator[Transport]:
    transport = Transport(hub.url, hub.token)
    yield transport
    transport.close()


@dataclass
class Screen:
    """Keeps what it is told."""

    lines: list[str] = field(default_factory=list)
    licences: list[Licence] = field(default_factory=list)
    bytes_of: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def licence(self, what: str, licence: Licence) -> None:
        self.licences.append(licence)

    def file(self, path: str, here_bytes: int, whole_bytes: int | None) -> None:
        self.bytes_of[path] = (here_bytes, whole_bytes)


@dataclass
class Puller:
    """Pulls into a folder of its own."""

    folder: Path
    transport: Transport
    screen: Screen = field(default_factory=Screen)
    pauses_s: list[float] = field(default_factory=list)

    def __call__(self, family: str, **wishes: Any) -> Pulled:
        request = Request(family, self.folder, **wishes)
        return pull(request, self.transport, self.screen, self.pauses_s.append)

    def files(self) -> list[str]:
        """All that is there, but for the lock."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.name != ".lock")
        return sorted(path.name for path in found)


@pytest.fixture
def puller(tmp_path: Path, transport: Transport) -> Puller:
    return Puller(tmp_path / "checkpoints", transport)
