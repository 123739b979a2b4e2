"""Progress in the terminal: one bar a stage."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

LABELS = {
    "segment": "cut into sentences",
    "stt": "recognise speech",
    "speech": "translate and speak",
    "faces": "find faces",
    "lips": "move lips, encode",
}
"""Stages in the order of the flow, as a person would call them."""


class StageBars:
    """A bar for each stage; also a session's listener. Thread-safe, as rich's Progress is."""

    def __init__(self, console: Console) -> None:
        """Bars go to `console`; when that is no terminal, only the final state is printed."""
        self._progress = Progress(
            TextColumn("{task.description:20}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(), console=console,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        for stage, label in LABELS.items():
            self._tasks[stage] = self._progress.add_task(label, total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_progress(self, stage: str, fraction: float) -> None:
        """Move a stage's bar to `fraction` (0..1); a stage that has no bar is ignored."""
        if stage in self._tasks:
            self._progress.update(self._tasks[stage], completed=fraction)

    def cancelled(self) -> bool:
        """Never: Ctrl-C interrupts the session itself."""
        return False
