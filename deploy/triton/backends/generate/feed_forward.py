"""Graphs without a loop that a family runs by itself: an encoder of a voice, a vocoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine_kit.ort_options import Options
from engine_kit.ort_session import open_session, run_options
from numpy.typing import NDArray

from .folder import FeedForward, OpenGraph


def opener(options: Options, log: Callable[[str], None]) -> OpenGraph:
    """Return what opens such graphs with a config's options; see VersionFolder.graph."""

    def opened(path: Path, accelerated: bool) -> FeedForward:
        session = open_session(path, options if accelerated else replace(options, openvino=None), log)
        run = run_options(options)

        def graph(inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
            found: Sequence[NDArray[Any]] = session.run(None, dict(inputs), run)
            return found

        return graph

    return opened
