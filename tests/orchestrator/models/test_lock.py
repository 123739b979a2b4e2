import subprocess
import sys

import pytest

from orchestrator.errors import RepositoryUnusable, SwapInProgress
from orchestrator.models.lock import swap_lock

HOLDER = """
import pathlib, sys
from orchestrator.models.lock import swap_lock
with swap_lock(pathlib.Path(sys.argv[1]), "swap of m by another process"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_and_let_in_when_the_holder_dies(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SwapInProgress, match="swap of m by another process"), swap_lock(tmp_path, "mine"):
            pass
        holder.kill()
        holder.wait()
    with swap_lock(tmp_path, "mine"):
        pass


def test_a_repository_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(RepositoryUnusable), swap_lock(tmp_path / "nowhere", "mine"):
        pass
