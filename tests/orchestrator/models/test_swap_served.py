"""Swaps in a real Triton under a steady load of requests; `make bench ONLY=swap` is the long version."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.errors import SwapRefused
from orchestrator.models.keeping import Keeper
from orchestrator.models.repository import RepositoryFolder
from orchestrator.models.swap import Swapper
from tests.fakes.served_models import FakePins
from tests.killed_servers import serving
from tests.served_versions import BROKEN, ENSEMBLE, MODEL, add_version, break_version, heard_by, make_repository
from tests.swap_load import Client, Seen, calling

pytestmark = pytest.mark.triton

PAUSE_S = 1 / 60


class Served:
    """One repository and the Triton that serves it."""

    def __init__(self, repository: Path, connection: TritonConnection) -> None:
        self.repository = repository
        self.connection = connection
        self.models = ModelRepository(connection)
        self.folder = RepositoryFolder(repository)
        self.pins = FakePins()
        self.swapper = Swapper(self.folder, self.models, self.pins)
        self.keeper = Keeper(self.folder, self.models, self.pins, drain_s=3600.0)

    def heard(self, name: str = MODEL) -> str:
        return heard_by(self.connection, name)()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("versions"), versions=1)


@pytest.fixture(scope="module")
def served(repository: Path) -> Iterator[Served]:
    """Version 1 serves; 2 and 3 came after the start."""
    with serving([MODEL, ENSEMBLE], repository=repository, run_dir=repository.parent / "run") as server:
        for version in (2, 3):
            add_version(repository, version)
        with TritonConnection(server.grpc_url, control_timeout_s=60.0) as connection:
            yield Served(repository, connection)


def test_no_request_fails_while_versions_are_swapped_and_broken_ones_refused(served):
    seen = [Seen(MODEL), Seen(ENSEMBLE)]
    clients = [Client(each, heard_by(served.connection, each.name), PAUSE_S) for each in seen]
    reasons = {}
    with calling(clients):
        for version in (2, 3):
            served.swapper.swap(MODEL, version, "test")
        for number, how in enumerate(BROKEN, 10):
            break_version(served.repository, number, how)
            with pytest.raises(SwapRefused, match="version 3 still serves") as caught:
                served.swapper.swap(MODEL, number, "test")
            reasons[how] = caught.value.reason
        served.swapper.rollback(MODEL, "test")
    for each in seen:
        assert each.failures == []
        assert {"version 1", "version 2", "version 3"} == each.answers.keys()
    assert (served.heard(), served.heard(ENSEMBLE)) == ("version 2", "version 2")
    assert "INVALID_PROTOBUF" in reasons["bad graph"]
    assert "the config says the shape is [1], the graph [2]" in reasons["wrong shape"]
    assert "MEAN_LOGPROB holds NaN or infinity" in reasons["NaN"]
    assert "bad_alloc" in reasons["out of memory"]
    assert "recorded was ['version 14']" in reasons["another answer"]
    assert not any("--candidate" in reason for reason in reasons.values())


def test_pinned_calls_keep_their_version_and_then_fall_to_the_one_that_serves(served):
    served.swapper.swap(MODEL, 1, "test")
    served.pins.versions[MODEL] = {1}
    served.swapper.swap(MODEL, 2, "test")
    assert [served.heard(name) for name in (MODEL, f"{MODEL}@1", ENSEMBLE)] == ["version 2", "version 1", "version 2"]
    served.pins.versions.clear()
    served.keeper.retire("test")
    assert served.models.ready_versions(MODEL) == (2,)
    assert served.heard(f"{MODEL}@1") == "version 2"


def test_a_triton_that_starts_anew_serves_what_was_chosen_whatever_else_lies_there(served, tmp_path):
    served.swapper.swap(MODEL, 2, "test")
    assert max(served.folder.versions(MODEL)) > 10  # broken ones
    with (
        serving([ENSEMBLE], repository=served.repository, run_dir=tmp_path) as another,
        TritonConnection(another.grpc_url, control_timeout_s=60.0) as connection,
    ):
        assert heard_by(connection, ENSEMBLE)() == "version 2"
