import stat
from pathlib import Path

import pytest

from deploy.processes import ProcessRecord
from deploy.stack.state import ServiceState, StackState

SERVICE = ServiceState(ProcessRecord(12, 345), "inputs", {"http": 8600})


def test_what_is_put_is_known_to_the_next_reader_in_order(tmp_path: Path) -> None:
    path = tmp_path / "run" / "stack.json"
    state = StackState(path)
    for name in ("rabbitmq", "triton", "rabbitmq"):
        state.put(name, SERVICE)
    again = StackState(path)
    assert again.names() == ["triton", "rabbitmq"]
    assert again.get("triton") == SERVICE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_left_means_no_file(tmp_path: Path) -> None:
    state = StackState(tmp_path / "stack.json")
    state.put("triton", SERVICE)
    state.drop("triton")
    state.drop("triton")
    assert not (tmp_path / "stack.json").exists()
    assert StackState(tmp_path / "stack.json").names() == []


def test_a_file_of_another_version_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"version": 99, "services": {}}')
    with pytest.raises(ValueError, match="written by another version"):
        StackState(tmp_path / "stack.json")
