"""Toy networks behind a running engine, without Triton."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from engine_kit.ort_options import read_options
from generate.engine import Engine
from generate.folder import read_folder
from generate.frontend import FrontEnd, open_front_end
from generate.graphs import Graphs, open_graphs
from generate.limits import Limits

from tests.fakes.toy_decoder import Toy

ONE_THREAD: Mapping[str, Any] = {"parameters": {"intra_op_thread_count": {"string_value": "1"}}}


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Toy], Graphs]:
    """Opens a toy's graphs; each toy is written and opened once a session."""
    kept: dict[str, Graphs] = {}

    def opened(toy: Toy) -> Graphs:
        if repr(toy) not in kept:
            folder = read_folder(toy.save(tmp_path_factory.mktemp("toy")))
            kept[repr(toy)] = open_graphs(folder, read_options(ONE_THREAD), lambda text: None)
        return kept[repr(toy)]

    return opened


class Served:
    """A running engine that remembers how many generations shared each step."""

    def __init__(self, graphs: Graphs, front_end: FrontEnd, limits: Limits) -> None:
        self.steps: list[int] = []
        self.engine = Engine(graphs, front_end, limits, self.steps.append)


@pytest.fixture
def serve(opened: Callable[[Toy], Graphs], tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts an engine for a toy, with the `tokens` front-end or another one; ends it after the test."""
    started: list[Served] = []

    def serve(toy: Toy, front_end: FrontEnd | None = None, start: bool = True, **limits: Any) -> Served:
        folder = read_folder(toy.save(tmp_path / str(len(started))))
        served = Served(opened(toy), front_end or open_front_end(folder, {}), Limits(**limits))
        if start:
            served.engine.start()
            started.append(served)
        return served

    yield serve
    for served in started:
        served.engine.close()
