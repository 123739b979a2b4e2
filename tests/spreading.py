"""How `pytest -n 2` spreads the suite over its workers, each of which has servers of its own (pytest-xdist).

A file's tests stay together, so that what its module fixtures make is made once. So do the files of some folders, for
what is made once a session.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

TOGETHER = (
    "tests/e2e/",  # one stack of ten processes for all files, 11 s to start
    "tests/export/marian/",  # one exported folder
    "tests/export/whisper/",  # one reduced Whisper and its graphs, 10 s to make
    "tests/export/xtts/",  # one reduced XTTS-v2, its graphs and its original, 15 s to make
)


class Spreading(LoadFileScheduling):
    """Gives whole files and whole folders to workers, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests, the few and long ones would come last

    def _split_scope(self, nodeid: str) -> str:
        """Return what is not torn apart; a hook that xdist documents for overriding."""
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))
