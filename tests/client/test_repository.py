import time

import pytest

from client.errors import EngineError, EngineRefused, EngineUnavailable
from client.repository import ModelRepository
from client.triton import TritonConnection


@pytest.fixture
def repository(connection) -> ModelRepository:
    return ModelRepository(connection)


def is_ready(repository: ModelRepository, model: str) -> bool:
    return any(status.ready for status in repository.statuses() if status.name == model)


@pytest.mark.triton
def test_models_are_unloaded_and_loaded(repository):
    repository.unload("faces_plain")
    deadline = time.monotonic() + 10
    while is_ready(repository, "faces_plain"):
        assert time.monotonic() < deadline
    repository.load("faces_plain")
    assert is_ready(repository, "faces_plain")


@pytest.mark.triton
def test_a_model_that_does_not_load_says_why(repository):
    with pytest.raises(EngineRefused, match="the weights are not here"):
        repository.load("broken")

    [status] = [status for status in repository.statuses() if status.name == "broken"]
    assert not status.ready and "the weights are not here" in status.reason


@pytest.mark.triton
def test_an_unknown_model_cannot_be_loaded(repository):
    with pytest.raises(EngineError, match="no_such_model"):
        repository.load("no_such_model")


def test_a_server_that_is_away_is_unavailable():
    with TritonConnection("127.0.0.1:1", control_timeout_s=5) as connection, pytest.raises(EngineUnavailable):
        ModelRepository(connection).statuses()
