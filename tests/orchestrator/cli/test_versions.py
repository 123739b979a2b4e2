"""`polylip models swap`, `rollback`, `prune`, `list --history`, on a Triton that loads what the configs say."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from client.sample import EQUAL, Sample, write_sample
from orchestrator.cli import versions
from orchestrator.cli.main import app
from orchestrator.models.admin import ModelAdmin
from orchestrator.models.repository import RepositoryFolder
from orchestrator.settings import ModelSettings
from tests.fakes.served_models import FakePins, FakeServedModels

CONFIG = 'name: "m" max_batch_size: 4 output [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]\n'


@pytest.fixture
def triton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServedModels:
    """Versions 1, 2 and 3 of m; 1 is served."""
    for version in (1, 2, 3):
        folder = tmp_path / "m" / str(version)
        folder.mkdir(parents=True)
        said = {"TEXT": np.array([[f"version {version}"]])}
        write_sample(folder, Sample({"X": np.zeros((1, 2), np.float32)}, said, {"TEXT": EQUAL}))
    (tmp_path / "m" / "config.pbtxt").write_text(CONFIG)
    served = FakeServedModels(tmp_path)
    served.ready["m"] = (1,)

    @contextmanager
    def admin():
        yield ModelAdmin(RepositoryFolder(tmp_path), served, FakePins(), ModelSettings())

    monkeypatch.setattr(versions, "_admin", admin)
    monkeypatch.setenv("COLUMNS", "200")
    return served


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["models", *arguments], input=answer)


def test_a_swap_tells_what_serves_and_what_served(triton):
    done = run("swap", "m", "2")
    assert done.exit_code == 0
    assert "m: version 2 serves, before it 1; checked by its recorded sample" in done.output
    assert triton.ready["m"] == (2,)


def test_a_refused_swap_ends_with_status_1_and_the_reason(triton):
    triton.broken[("m--candidate", 2)] = "not a graph"
    done = run("swap", "m", "2")
    assert done.exit_code == 1
    assert "swap-refused" in done.output
    assert "version 1 still serves" in " ".join(done.output.split())
    assert "not a graph" in done.output


def test_a_rollback_goes_to_the_version_before(triton):
    run("swap", "m", "2")
    assert "version 1 serves, before it 2" in run("rollback", "m").output


def test_the_history_has_a_line_for_each_try(triton):
    run("swap", "m", "2")
    triton.broken[("m--candidate", 3)] = "not a graph"
    run("swap", "m", "3")
    lines = [line for line in run("list", "--history").output.splitlines() if " swap " in line]
    assert [("done" in line, "refused" in line) for line in lines] == [(True, False), (False, True)]


@pytest.mark.parametrize(("answer", "left"), [("n\n", ["1", "2", "3"]), ("y\n", ["2", "3"])])
def test_old_versions_are_deleted_only_after_a_yes(triton, tmp_path, answer, left):
    for version in ("2", "3"):
        run("swap", "m", version)
    done = run("prune", "--keep", "0", answer=answer)
    assert "Delete 1 version(s)?" in done.output
    assert sorted(path.name for path in (tmp_path / "m").iterdir() if path.is_dir()) == left


@pytest.mark.usefixtures("triton")
def test_where_nothing_is_old_nothing_is_asked():
    assert "nothing to delete" in run("prune", "--yes").output


def test_a_sample_can_be_recorded_of_what_is_served(triton, tmp_path):
    triton.wrong[("m", 1)] = {"TEXT": np.array([["something else"]])}
    assert "the sample of version 1 is recorded" in run("record", "m").output
    triton.wrong[("m--candidate", 1)] = triton.wrong[("m", 1)]
    assert run("swap", "m", "1").exit_code == 0
