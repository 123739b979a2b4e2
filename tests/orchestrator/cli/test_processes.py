"""How the processes of the stack say that they are ready."""

import pytest

from orchestrator.cli.processes import readiness


def test_the_file_is_there_while_messages_are_taken(tmp_path):
    path = tmp_path / "ready"
    with readiness(path) as ready:
        assert not path.exists()
        ready()
        assert path.exists()
    assert not path.exists()


def test_a_file_that_a_killed_process_left_says_nothing(tmp_path):
    path = tmp_path / "ready"
    path.touch()
    with readiness(path):
        assert not path.exists()


def test_it_goes_when_the_process_fails(tmp_path):
    path = tmp_path / "ready"
    with pytest.raises(RuntimeError), readiness(path) as ready:
        ready()
        raise RuntimeError
    assert not path.exists()


def test_nobody_need_ask():
    with readiness(None) as ready:
        ready()
