import os
import sys
from pathlib import Path

import pytest

from deploy.errors import StackFailed
from deploy.processes import Launch, ProcessRecord
from deploy.stack.children import Child, start_all

SERVES = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"


def child(folder: Path, name: str, code: str) -> Child:
    ready = folder / f"{name}.ready"
    launch = Launch([sys.executable, "-c", code, str(ready)], folder / f"{name}.log", dict(os.environ))
    return Child(name, launch, ready.exists)


def test_all_are_running_and_ready_afterwards(tmp_path: Path) -> None:
    records: dict[str, ProcessRecord] = {}
    start_all([child(tmp_path, "one", SERVES), child(tmp_path, "two", SERVES)], records.__setitem__)
    assert all(record.is_running() for record in records.values())
    assert all((tmp_path / f"{name}.ready").exists() for name in ("one", "two"))
    for record in records.values():
        record.stop(grace_s=10)


def test_one_that_ends_early_is_named_with_its_log_and_all_can_be_stopped(tmp_path: Path) -> None:
    records: dict[str, ProcessRecord] = {}
    broken = child(tmp_path, "broken", "print('no such engine'); exit(1)")
    with pytest.raises(StackFailed, match=r"broken ended while it started; (.|\n)*no such engine"):
        start_all([child(tmp_path, "one", SERVES), broken], records.__setitem__)
    assert set(records) == {"one", "broken"}
    records["one"].stop(grace_s=10)


def test_one_that_never_becomes_ready_is_named(tmp_path: Path) -> None:
    records: dict[str, ProcessRecord] = {}
    with pytest.raises(StackFailed, match=r"slow was not ready within 0\.1 s"):
        start_all([child(tmp_path, "slow", "import time; time.sleep(600)")], records.__setitem__, timeout_s=0.1)
    records["slow"].stop(grace_s=10)
