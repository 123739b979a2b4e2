"""Versions over REST, on a repository of its own and a Triton that loads what its configs say."""

import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest

from client.sample import EQUAL, Sample, write_sample
from orchestrator.models.admin import ModelAdmin
from orchestrator.models.lock import swap_lock
from orchestrator.models.repository import RepositoryFolder
from orchestrator.settings import Settings
from tests.fakes.gateway import running_gateway
from tests.fakes.served_models import FakePins, FakeServedModels

CONFIG = 'name: "m" max_batch_size: 4 output [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    for version in (1, 2):
        folder = root / "m" / str(version)
        folder.mkdir(parents=True)
        said = {"TEXT": np.array([[f"version {version}"]])}
        write_sample(folder, Sample({"X": np.zeros((1, 2), np.float32)}, said, {"TEXT": EQUAL}))
    (root / "m" / "config.pbtxt").write_text(CONFIG)
    return root


@pytest.fixture
def triton(repository: Path) -> FakeServedModels:
    served = FakeServedModels(repository)
    served.ready["m"] = (1,)
    return served


@pytest.fixture
def url(tmp_path: Path, repository: Path, triton: FakeServedModels):
    settings = Settings.model_validate({"models": {"repository": repository}})
    admin = ModelAdmin(RepositoryFolder(repository), triton, FakePins(), settings.models)
    with running_gateway(tmp_path / "gateway", models=admin) as gateway:
        yield f"{gateway.url}/v1/models"


def test_a_model_is_told_with_its_versions_and_what_was_done_to_it(url):
    assert httpx.get(f"{url}/m").json() == {
        "name": "m",
        "versions": [1, 2],
        "served": 1,
        "loaded": [1],
        "chosen": [],
        "earlier": None,
        "history": [],
    }


def test_a_version_is_swapped_in_and_back(url, triton):
    swapped = httpx.post(f"{url}/m/versions/2:activate")
    assert swapped.status_code == 200
    assert {key: swapped.json()[key] for key in ("action", "by", "from_version", "to_version", "result")} == {
        "action": "swap",
        "by": "rest@127.0.0.1",
        "from_version": 1,
        "to_version": 2,
        "result": "done",
    }
    assert triton.ready["m"] == (2,)
    assert httpx.get(f"{url}/m").json()["earlier"] == 1
    assert httpx.post(f"{url}/m:rollback").json()["to_version"] == 1
    assert [line["action"] for line in httpx.get(f"{url}/m").json()["history"]] == ["swap", "rollback"]


def test_a_version_that_is_refused_is_a_problem_that_says_why(url, triton):
    triton.broken[("m--candidate", 2)] = "not a graph"
    answer = httpx.post(f"{url}/m/versions/2:activate")
    assert (answer.status_code, answer.json()["code"]) == (409, "swap-refused")
    assert "version 1 still serves" in answer.json()["detail"]
    assert "not a graph" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("m/versions/7:activate", 404, "version-not-found"),
        ("x/versions/1:activate", 404, "model-not-found"),
        ("m:rollback", 409, "no-earlier-version"),
    ],
)
def test_what_is_not_there_is_a_problem(url, call, status, code):
    answer = httpx.post(f"{url}/{call}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_second_swap_at_the_same_time_is_told_to_come_again(url, repository):
    with swap_lock(repository, "swap of x by you"):
        answer = httpx.post(f"{url}/m/versions/2:activate")
    assert (answer.status_code, answer.json()["code"]) == (409, "swap-in-progress")
    assert "retry-after" in answer.headers


def test_a_repository_that_has_gone_is_a_problem(url, repository):
    shutil.rmtree(repository)
    answer = httpx.post(f"{url}/m/versions/2:activate")
    assert (answer.status_code, answer.json()["code"]) == (503, "repository-unusable")


def test_a_gateway_without_a_repository_says_so(gateway):
    answer = httpx.get(f"{gateway.url}/v1/models/m")
    assert (answer.status_code, answer.json()["code"]) == (503, "repository-unusable")
