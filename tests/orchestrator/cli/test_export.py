"""`polylip models synth` and `export` as a person calls them."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from orchestrator.cli.main import app


def polylip(folder: Path, *arguments: object, file_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    command = [sys.executable, "-m", "orchestrator.cli.main", "models", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, preexec_fn=limit, capture_output=True, text=True, env={"COLUMNS": "200"}, check=False
    )


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls the command in this process, where PyTorch is imported already; returns what the screen then says."""

    def refused(folder: Path, *arguments: object) -> str:
        monkeypatch.chdir(folder)
        done = CliRunner().invoke(app, ["models", *map(str, arguments)])
        assert done.exit_code == 1
        return done.stderr + capsys.readouterr().err

    return refused


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Wav2Lip checkpoint and a repository with version 1 of it."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "models").mkdir()
    made = polylip(folder, "synth", "wav2lip", "--out", "wav2lip.pth", "--seed", 5, "--width", 0.0625)
    assert made.returncode == 0, made.stderr
    exported = polylip(folder, *EXPORT)
    assert exported.returncode == 0, exported.stderr
    (folder / "said").write_text(exported.stdout + exported.stderr)
    return folder


EXPORT = ("export", "wav2lip", "--checkpoint", "wav2lip.pth", "--repository", "models")


def test_a_checkpoint_becomes_a_version_that_runs(folder):
    version = folder / "models" / "lips_wav2lip" / "1"
    assert sorted(path.name for path in version.iterdir()) == [
        "manifest.json",
        "model.onnx",
        "sample.json",
        "sample.npz",
    ]
    session = onnxruntime.InferenceSession(version / "model.onnx")
    inputs = {"FACES": np.zeros((3, 96, 96, 3), np.uint8), "MEL": np.zeros((3, 80, 16), np.float32)}
    (moved,) = session.run(None, inputs)
    assert (moved.shape, moved.dtype) == ((3, 96, 96, 3), np.uint8)
    assert {"BatchNormalization"}.isdisjoint(node_types(version / "model.onnx"))


def node_types(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(path).graph.node}


def test_the_screen_shows_figures_hash_licence_and_place(folder):
    said = (folder / "said").read_text()
    manifest = json.loads((folder / "models" / "lips_wav2lip" / "1" / "manifest.json").read_text())
    assert "MOVED_FLOAT" in said
    assert f"sha256 {manifest['checkpoint']['sha256']}" in said
    assert "not commercially" in said
    assert "has no config.pbtxt in this repository" in said
    assert "version 1 of lips_wav2lip is in models/lips_wav2lip/1" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--version", 1), "version-exists"),
        (("--checkpoint", "nowhere.pth"), "checkpoint-refused"),
    ],
)
def test_what_cannot_be_done_ends_with_one_line(folder, refused, arguments, code):
    assert refused(folder, *EXPORT, *arguments).startswith(f"error {code}: ")
    assert [path.name for path in (folder / "models" / "lips_wav2lip").iterdir()] == ["1"]


def test_a_full_disk_ends_with_one_line_and_leaves_nothing(folder):
    done = polylip(folder, *EXPORT, file_bytes=50_000)
    assert done.returncode == 1
    assert (
        "error version-not-installed: version 2 of lips_wav2lip cannot be written into models: File too large"
        in done.stderr
    )
    assert [path.name for path in (folder / "models" / "lips_wav2lip").iterdir()] == ["1"]


@pytest.mark.parametrize("width", ["wide", "0", "2"])
def test_a_width_that_is_none_is_refused(folder, refused, width):
    said = refused(folder, "synth", "wav2lip", "--out", "other.pth", "--seed", 1, "--width", width)
    assert said.startswith("error bad-request: --width")
    assert not (folder / "other.pth").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("wav2lip", "--size", "tiny"), "bad-request: wav2lip has no --size, but --width"),
        (("whisper", "--width", "0.5"), "bad-request: --width of whisper is full or reduced, not '0.5'"),
        (("whisper", "--size", "huge"), "export-failed: whisper: there are the sizes small, tiny"),
    ],
)
def test_networks_have_widths_and_bundles_published_sizes(tmp_path, refused, arguments, said):
    family, *options = arguments
    assert said in " ".join(refused(tmp_path, "synth", family, "--out", "made", "--seed", 1, *options).split())
    assert list(tmp_path.iterdir()) == []
