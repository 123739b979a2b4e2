"""`polylip models pull` and `licences` as a person calls them; the hub is one on this machine."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from client.licences import licence_of
from export.bundle.family import BUNDLES
from export.family import FAMILIES
from export.pull.catalogue import CATALOGUE, Entry
from orchestrator.cli.licences import licences
from orchestrator.cli.pull import pull
from tests.fakes.hub import FakeHub, FakeRepository, Fault, running_hub
from tests.fakes.tiny_family import FAMILY

NAME = "me/tiny"


@pytest.fixture(scope="module")
def checkpoint() -> bytes:
    """Of the tiny family, as torch.save writes it."""
    written = io.BytesIO()
    torch.save(FAMILY.synth(seed=3, width=1.0), written)
    return written.getvalue()


@pytest.fixture
def hub(checkpoint, monkeypatch) -> Iterator[FakeHub]:
    """Has the tiny family's checkpoint, which may be used as Wav2Lip's weights may."""
    monkeypatch.setitem(FAMILIES, "tiny", "tests.fakes.tiny_family")
    monkeypatch.setitem(CATALOGUE, "tiny", Entry({}, "", "LicenseRef-Wav2Lip", None))
    with running_hub() as hub:
        hub.repositories[NAME] = FakeRepository({"tiny.pth": checkpoint})
        yield hub


class Command:
    """The two commands, with a hub, a cache and a model repository of their own."""

    def __init__(self, hub: FakeHub, folder: Path) -> None:
        self.hub = hub
        self.cache = folder / "checkpoints"
        self.repository = folder / "models"
        self.repository.mkdir()
        self.app = typer.Typer()
        self.app.command("pull")(pull)
        self.app.command("licences")(licences)
        self.environment: dict[str, str | None] = {
            "HF_ENDPOINT": hub.url, "HF_TOKEN": None, "POLYLIP_CHECKPOINTS": str(self.cache), "COLUMNS": "200",
        }  # fmt: skip

    def __call__(self, *arguments: Any) -> Result:
        return CliRunner().invoke(self.app, [*map(str, arguments)], env=self.environment)

    def pull(self, *arguments: Any) -> Result:
        source = f"{self.hub.url}/{NAME}/resolve/main/tiny.pth"
        return self("pull", "tiny", "--from", source, "--repository", self.repository, *arguments)


@pytest.fixture
def command(hub: FakeHub, tmp_path: Path) -> Command:
    return Command(hub, tmp_path)


def test_one_command_leads_from_nothing_to_a_version_that_says_where_it_came_from(command, checkpoint):
    done = command.pull("--accept-licence")
    assert done.exit_code == 0, done.output
    assert "commercial use: NO" in done.stderr
    assert "version 1 of tiny_model is in" in done.stdout
    version = command.repository / "tiny_model" / "1"
    assert {"model.onnx", "manifest.json", "pulled.json"} <= {path.name for path in version.iterdir()}
    record = json.loads((version / "pulled.json").read_text())
    manifest = json.loads((version / "manifest.json").read_text())
    assert record["source"] == f"{NAME}@main/tiny.pth"
    assert record["files"]["tiny.pth"]["sha256"] == manifest["checkpoint"]["sha256"]
    assert licence_of("tiny_model", "1", command.repository).licence.commercial_use is False


def test_without_accepting_the_licence_nothing_happens_and_it_says_what_it_means(command):
    done = command.pull()
    assert done.exit_code == 1
    assert "error licence-not-accepted:" in done.stderr
    assert "research and personal purposes only" in " ".join(done.stderr.split())
    assert command.hub.seen == []
    assert list(command.repository.iterdir()) == []


def test_download_only_leaves_the_repository_as_it_was(command, checkpoint):
    done = command.pull("--accept-licence", "--download-only")
    assert done.exit_code == 0, done.output
    (path,) = command.cache.rglob("tiny.pth")
    assert path.read_bytes() == checkpoint
    assert list(command.repository.iterdir()) == []


def test_swap_has_the_new_version_served_where_that_repository_is_the_served_one(command, monkeypatch, tmp_path):
    made, swapped = tmp_path / "made", []
    made.mkdir()
    monkeypatch.setattr("orchestrator.cli.pull.make_version", lambda *arguments: ("tiny_model", 7, made))
    monkeypatch.setattr("orchestrator.cli.versions.swap", lambda *arguments, wait: swapped.append((*arguments, wait)))
    assert "--swap is for the repository that is served" in command.pull("--accept-licence", "--swap").stderr
    assert "not together with" in command.pull("--accept-licence", "--swap", "--download-only").stderr
    assert command.hub.seen == []
    command.environment["POLYLIP_MODELS__REPOSITORY"] = str(command.repository)
    done = command.pull("--accept-licence", "--swap")
    assert done.exit_code == 0, done.output
    assert swapped == [("tiny_model", 7, False)]


def test_a_tampered_download_ends_the_command_and_nothing_is_exported(command):
    command.hub.faults["tiny.pth"] = Fault("flip", times=9)
    done = command.pull("--accept-licence")
    assert done.exit_code == 1
    assert "error download-hash-mismatch:" in done.stderr
    assert list(command.repository.iterdir()) == []
    assert list(command.cache.rglob("tiny.pth*")) == []


def test_a_family_that_cannot_be_exported_is_refused_before_the_download(command, monkeypatch):
    monkeypatch.delitem(BUNDLES, "xtts")
    done = command("pull", "xtts", "--accept-licence")
    assert done.exit_code == 1
    assert "no model family is called 'xtts'" in done.stderr
    assert command.hub.seen == []


def test_xtts_is_pulled_for_its_exporter_by_whoever_takes_its_licence(command):
    assert (
        "no precision of xtts is called 'int3'"
        in command("pull", "xtts", "--accept-licence", "--precision", "int3").stderr
    )
    done = command("pull", "xtts")
    assert done.exit_code == 1
    assert "licence-not-accepted" in done.stderr
    assert command.hub.seen == []


def test_a_precision_that_the_family_lacks_is_refused_before_the_download(command):
    assert "no precision of tiny is called 'int3'" in command.pull("--precision", "int3").stderr
    assert command.hub.seen == []


def test_an_endpoint_that_is_no_address_is_told(command):
    command.environment["HF_ENDPOINT"] = "the hub"
    done = command.pull("--accept-licence")
    assert done.exit_code == 1
    assert "HF_ENDPOINT cannot be understood" in done.stderr


def test_the_licences_of_all_versions_are_listed(command):
    for model, version in (("lips_wav2lip", "1"), ("lips_wav2lip", "2"), ("mine", "")):
        (command.repository / model / version).mkdir(parents=True)
        (command.repository / model / "config.pbtxt").touch()
    pulled = {"source": "me/free", "licence": {"identifier": "Apache-2.0"}}
    (command.repository / "lips_wav2lip" / "2" / "pulled.json").write_text(json.dumps(pulled))
    done = command("licences", "--json", "--repository", command.repository)
    listed = [(each["model"], each["version"], each["licence"]["commercial_use"]) for each in json.loads(done.stdout)]
    assert listed == [("lips_wav2lip", "1", False), ("lips_wav2lip", "2", True), ("mine", "", None)]
    assert "nobody says" in command("licences", "--repository", command.repository).stdout


def test_a_repository_that_is_not_there_is_told(command, tmp_path):
    assert command("licences", "--repository", tmp_path / "nowhere").exit_code == 1


def test_without_the_extra_nothing_is_downloaded_and_it_says_what_installs_it(command, monkeypatch):
    for name in [name for name in sys.modules if name == "torch" or name.startswith("export.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = command.pull("--accept-licence")
    assert "error export-extra-missing: the Python package torch is missing: run `make setup-export`" in done.stderr
    assert command.hub.seen == []
    assert not command.cache.exists()
