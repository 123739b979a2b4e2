"""`polylip dub` as a person calls it: a process of its own, with nothing else running."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from orchestrator.cli.dub import read_glossary, with_engines
from orchestrator.cli.main import app
from orchestrator.errors import BadRequest, GlossaryRefused
from orchestrator.settings import Settings
from tests.e2e.conftest import SAMPLES
from tests.media_factory import make_clip


def polylip(*arguments):
    command = [sys.executable, "-m", "orchestrator.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.triton
def test_the_sample_becomes_files_in_a_folder(tmp_path):
    out = tmp_path / "my results"
    glossary = tmp_path / "glossary.json"
    glossary.write_text('{"journey": "travesía"}', encoding="utf-8")
    done = polylip("dub", SAMPLES / "astronaut_en.mp4", "--to", "es", "--out", out, "--glossary", glossary)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "report.json").read_text())["glossary"]["used"] == {"journey": 1}
    assert "Hoy es un día muy" in done.stdout
    assert {"result.mp4", "subtitles.es.srt", "segments.json", "report.json"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / "report.json").read_text())["outcome"] == "dubbed"


@pytest.mark.triton
@pytest.mark.parametrize(
    ("target", "options", "reason"),
    [("fi", {}, "language-pair-unsupported"), ("es", {"audio": False}, "no-audio-track")],
)
def test_what_cannot_be_dubbed_ends_with_the_reason_and_leaves_nothing(tmp_path, target, options, reason):
    clip = make_clip(tmp_path / "clip.mp4", **options)
    done = polylip("dub", clip, "--to", target, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert reason in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_clip_that_is_not_there_is_a_usage_error():
    done = CliRunner().invoke(app, ["dub", "no such clip.mp4", "--to", "es"])
    assert done.exit_code == 2
    assert "does not exist" in done.stderr


def test_a_face_that_cannot_be_read_is_told_before_anything_is_started(tmp_path, capsys):
    arguments = ["--to", "es", "--out", str(tmp_path / "out"), "--face", "nose"]
    done = CliRunner().invoke(app, ["dub", str(SAMPLES / "astronaut_en.mp4"), *arguments])
    assert done.exit_code == 1
    said = done.stderr + capsys.readouterr().err
    assert "bad-request" in said
    assert "x1,y1,x2,y2" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"[1]", b"{", b'{"a": 1}', b'{"a": "\xff"}'])
def test_a_glossary_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "glossary.json"
    path.write_bytes(content)
    with pytest.raises(GlossaryRefused):
        read_glossary(path)


def test_a_glossary_file_has_terms_and_translations(tmp_path):
    path = tmp_path / "glossary.json"
    path.write_text('{"dog": "can", "journey": "travesía"}', encoding="utf-8")
    assert read_glossary(path) == {"dog": "can", "journey": "travesía"}
    assert read_glossary(None) == {}


def test_engines_are_chosen_by_task_and_model():
    settings = with_engines(Settings(), ["lips=lips_wav2lip", "stt=stt_whisper"])
    assert (settings.engines.lips, settings.engines.stt) == ("lips_wav2lip", "stt_whisper")


@pytest.mark.parametrize("choice", ["lips", "nose=nose_x", "lips="])
def test_a_choice_that_names_no_task_or_no_model_is_refused(choice):
    with pytest.raises(BadRequest):
        with_engines(Settings(), [choice])
