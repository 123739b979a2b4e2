import numpy as np
import pytest

from client.errors import EngineUnavailable
from orchestrator.errors import (
    ModelNotFound,
    NoEarlierVersion,
    RepositoryUnusable,
    SwapInProgress,
    SwapRefused,
    VersionNotFound,
)
from orchestrator.models import history
from orchestrator.models.history import Result
from orchestrator.models.lock import swap_lock


def results(root):
    return [(each.from_version, each.to_version, each.result) for each in history.read(root, "m")]


def configs(root):
    return [(root / "m" / name).read_text() for name in ("config.pbtxt", "configs/gpu.pbtxt")]


def test_a_version_is_tried_under_another_name_before_it_serves(swapper, triton, root):
    record = swapper.swap("m", 2, "me")
    assert triton.loads == ["m--candidate 2", "m 2"]
    assert triton.ready == {"m": (2,)}
    assert (record.from_version, record.to_version, record.by, record.checked) == (1, 2, "me", "its recorded sample")
    assert history.read(root, "m") == [record]
    assert not (root / "m--candidate").exists()


def test_the_choice_stands_in_every_config_so_that_a_new_triton_loads_it(swapper, folder, root):
    swapper.swap("m", 2, "me")
    assert folder.chosen("m") == (2,)
    assert all("versions: [ 2 ]" in text and "# the model" in text for text in configs(root))


@pytest.mark.parametrize("name", ["m--candidate", "m"])
def test_a_version_that_does_not_load_leaves_the_one_before(swapper, triton, folder, root, name):
    triton.broken[(name, 2)] = "not a graph"
    with pytest.raises(SwapRefused, match="version 1 still serves") as caught:
        swapper.swap("m", 2, "me")
    assert caught.value.reason == "load failed for model 'm': not a graph"
    assert triton.ready == {"m": (1,)}
    assert folder.chosen("m") == (1,)  # named, for else a Triton that starts anew would load version 3
    assert results(root) == [(1, 2, Result.REFUSED)]
    assert history.read(root, "m")[0].reason == caught.value.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"TEXT": np.array([["version 3"]])}, "recorded was ['version 2']"),
        ({"TEXT": np.array([["version 2", ""]])}, "has the sizes [2], its config says [1]"),
        ({}, "output TEXT is missing"),
    ],
)
def test_a_version_that_answers_otherwise_is_never_met_by_callers(swapper, triton, root, answer, reason):
    triton.wrong[("m--candidate", 2)] = answer
    with pytest.raises(SwapRefused) as caught:
        swapper.swap("m", 2, "me")
    assert reason in caught.value.reason
    assert triton.loads == ["m--candidate 2"]
    assert results(root) == [(1, 2, Result.REFUSED)]


def test_a_version_that_fails_only_where_callers_meet_it_is_taken_back(swapper, triton, root, folder):
    swapper.swap("m", 2, "me")
    triton.wrong[("m", 3)] = {"TEXT": np.array([["nonsense"]])}
    with pytest.raises(SwapRefused, match="version 2 still serves"):
        swapper.swap("m", 3, "me")
    assert (triton.ready["m"], folder.chosen("m")) == ((2,), (2,))
    assert results(root)[-1] == (2, 3, Result.REVERTED)


def test_a_failure_that_is_no_error_of_ours_leaves_the_one_before_too(swapper, triton, folder):
    load = triton.load

    def interrupted(model: str) -> None:
        load(model)
        if triton.ready["m"] == (2,):
            raise KeyboardInterrupt

    triton.load = interrupted
    with pytest.raises(KeyboardInterrupt):
        swapper.swap("m", 2, "me")
    assert (triton.ready, folder.chosen("m")) == ({"m": (1,)}, (1,))


def test_an_ensemble_that_does_not_come_along_takes_the_swap_back(swapper, triton, root):
    triton.ready["around"] = (1,)
    load = triton.load

    def load_without_ensemble(model: str) -> None:
        load(model)
        if triton.ready["m"] == (2,):
            triton.unload("around")

    triton.load = load_without_ensemble
    with pytest.raises(SwapRefused, match="does not load with version 2 of m"):
        swapper.swap("m", 2, "me")
    assert triton.ready["m"] == (1,)


def test_a_model_that_was_never_served_is_served(swapper, triton):
    triton.ready.clear()
    assert swapper.swap("m", 2, "me").from_version is None
    assert triton.ready == {"m": (2,)}


def test_a_first_version_that_fails_leaves_nothing_served(swapper, triton):
    triton.ready.clear()
    triton.broken[("m", 2)] = "no"
    with pytest.raises(SwapRefused, match="nothing is served"):
        swapper.swap("m", 2, "me")
    assert triton.ready == {}


def test_what_is_not_there_is_said_before_anything_happens(swapper, root, triton):
    with pytest.raises(ModelNotFound):
        swapper.swap("other", 1, "me")
    with pytest.raises(VersionNotFound, match="there are: 1, 2, 3"):
        swapper.swap("m", 4, "me")
    assert (triton.loads, results(root)) == ([], [])


def test_a_triton_that_is_away_changes_nothing(swapper, triton, root):
    def away(model: str) -> tuple[int, ...]:
        raise EngineUnavailable("triton", "connection refused")

    triton.ready_versions = away
    before = configs(root)
    with pytest.raises(EngineUnavailable):
        swapper.swap("m", 2, "me")
    assert configs(root) == before


def test_two_swaps_at_once_are_one_and_a_refusal_that_names_it(swapper, root):
    with swap_lock(root, "swap of x by you"), pytest.raises(SwapInProgress, match="swap of x by you"):
        swapper.swap("m", 2, "me")
    swapper.swap("m", 2, "me")


def test_a_rollback_takes_one_step_back_each_time(swapper, triton):
    for version in (2, 3):
        swapper.swap("m", version, "me")
    assert [swapper.rollback("m", "me").to_version for _ in range(2)] == [2, 1]
    assert triton.ready["m"] == (1,)
    with pytest.raises(NoEarlierVersion):
        swapper.rollback("m", "me")


def test_a_refused_version_is_no_step_to_go_back_to(swapper, triton):
    swapper.swap("m", 2, "me")
    triton.broken[("m--candidate", 3)] = "no"
    with pytest.raises(SwapRefused):
        swapper.swap("m", 3, "me")
    assert swapper.rollback("m", "me").to_version == 1


def test_a_pinned_version_stays_loaded_below_the_new_one(swapper, triton, pins):
    pins.versions["m"] = {1}
    swapper.swap("m", 2, "me")
    assert triton.ready["m"] == (1, 2)


def test_a_pinned_version_above_the_new_one_cannot_stay(swapper, triton, pins):
    triton.ready["m"] = (3,)
    pins.versions["m"] = {3}
    swapper.swap("m", 2, "me")
    assert triton.ready["m"] == (2,)


def test_a_repository_that_is_not_there_is_said(swapper, folder, tmp_path):
    folder.root = tmp_path / "nowhere"
    with pytest.raises(RepositoryUnusable, match="POLYLIP_MODELS__REPOSITORY"):
        swapper.swap("m", 2, "me")


def test_what_a_killed_swap_left_is_swept_by_the_next(swapper, root):
    (root / "m--candidate" / "9").mkdir(parents=True)
    swapper.swap("m", 2, "me")
    assert not (root / "m--candidate").exists()
    assert (root / "m" / "2" / "weights").read_text() == "2"
