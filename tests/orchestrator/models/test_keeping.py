from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.models import history
from orchestrator.models.history import Action
from orchestrator.models.keeping import Draining, Keeper
from tests.orchestrator.models.conftest import add_version


@pytest.fixture
def draining(swapper, pins):
    """Version 2 serves, and 1 is held by a session."""
    pins.versions["m"] = {1}
    swapper.swap("m", 2, "me")


@pytest.mark.usefixtures("draining")
def test_a_version_drains_while_a_session_holds_it(keeper, triton):
    assert keeper.draining() == [Draining("m", 1, sessions=True)]
    assert keeper.retire("me") == []
    assert triton.ready["m"] == (1, 2)


@pytest.mark.usefixtures("draining")
def test_a_version_is_let_go_when_its_last_session_ends(keeper, triton, pins, root):
    pins.versions.clear()
    assert keeper.retire("me") == [Draining("m", 1, sessions=False)]
    assert triton.ready["m"] == (2,)
    assert keeper.draining() == []
    assert history.read(root, "m")[-1].action is Action.RETIRE


@pytest.mark.usefixtures("draining")
def test_a_session_that_never_ends_is_waited_for_no_longer_than_the_drain_time(folder, triton, pins, monkeypatch):
    at = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    path = folder.root / "m" / "history.jsonl"
    path.write_text(path.read_text().replace(history.read(folder.root, "m")[0].at, at))
    Keeper(folder, triton, pins, drain_s=3 * 3600.0).retire("me")
    assert triton.ready["m"] == (1, 2)
    Keeper(folder, triton, pins, drain_s=3600.0).retire("me")
    assert triton.ready["m"] == (2,)


def test_versions_that_somebody_wrote_into_the_config_are_left_alone(keeper, folder):
    folder.choose("m", [1, 2])
    assert keeper.draining() == []


def test_old_versions_are_offered_for_deletion_but_never_what_is_needed(swapper, keeper, root):
    add_version(root, 4)
    for version in (2, 3):
        swapper.swap("m", version, "me")
    assert keeper.removable("m", keep=0) == [1]  # 3 serves, a rollback goes to 2, 4 is new
    assert keeper.removable("m", keep=2) == []
    keeper.prune([("m", 1), ("m", 3)], "me")  # 3 serves: it was chosen before it did
    assert sorted(path.name for path in (root / "m").iterdir() if path.is_dir()) == ["2", "3", "4", "configs"]


def test_nothing_is_old_of_a_model_that_is_not_served(keeper, triton):
    triton.ready.clear()
    assert keeper.removable("m", keep=0) == []
