"""The whole way on a tiny package: from pages to a scored version."""

import json
import random

import pytest

from export.errors import ExportError
from export.sentence_boundary import build as building
from export.sentence_boundary.build import Job, build, score
from export.sentence_boundary.packages import Package, Unpacked
from export.sentence_boundary.styles import words
from export.sentence_boundary.training import Recipe

WORDS = sorted(words("the old man sat by a river and looked at his boat while rain fell on every hill near our town"))


@pytest.fixture
def job(tmp_path, monkeypatch):
    pages = tmp_path / "root" / "usr/share/help/C/gnome-help"
    pages.mkdir(parents=True)
    rng = random.Random(1)
    for number in range(40):
        sentences = [" ".join(rng.choices(WORDS, k=9)).capitalize() + "." for _ in range(6)]
        (pages / f"page{number}.page").write_text(f"<p>{' '.join(sentences)}</p>")
    tiny = Unpacked(Package("gnome-user-docs", "free"), "1.0", "0" * 64, tmp_path / "root")
    monkeypatch.setattr(building, "fetch", lambda folder: iter([tiny]))
    monkeypatch.setattr(building, "MEASURED_EACH", 6)
    repository = tmp_path / "repository"
    repository.mkdir()
    return Job(tmp_path, repository, tmp_path / "sample.jsonl", Recipe(steps=40, windows=1))


def test_a_version_comes_with_its_graph_its_manifest_and_a_sample(job):
    folder = build(job, lambda line: None)
    assert folder == job.repository / "sentence_boundary_net" / "1"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["packages"] == [
        {"name": "gnome-user-docs", "version": "1.0", "licence": "free", "sha256": "0" * 64}
    ]
    assert manifest["recipe"]["steps"] == 40
    assert manifest["test"]["all"]["examples"] == manifest["sample"]["examples"] == 24
    assert len(job.sample.read_text().splitlines()) == 24
    assert "build.py" in manifest["source_sha256"]

    job.sample.unlink()
    said: list[str] = []
    assert score(job, said.append) == folder
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    assert job.sample.exists()


def test_a_graph_that_is_not_the_manifests_is_not_scored(job):
    folder = job.repository / "sentence_boundary_net" / "3"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"graph_sha256": "0"}')
    (folder / "model.onnx").write_bytes(b"another")
    with pytest.raises(ExportError, match="not the graph"):
        score(job, lambda line: None)


def test_without_a_version_there_is_nothing_to_score(job):
    with pytest.raises(ExportError, match="no version"):
        score(job, lambda line: None)
