from typer.testing import CliRunner

from orchestrator.cli.main import app
from tests.finished_dub import write_dub
from tests.media_factory import Burst, make_clip


def polylip(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def finished(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", duration_s=20.0, size=(32, 32), fps=5, bursts=[Burst(0.5, 2.0, 440.0)])
    write_dub(tmp_path / "dub", clip.read_bytes())
    return clip, tmp_path / "dub"


def test_the_timeline_is_drawn_beside_the_result(tmp_path):
    clip, dub = finished(tmp_path)
    done = polylip("report", dub, "--clip", clip)
    assert done.exit_code == 0, done.output
    page = (dub / "timeline.html").read_text()
    assert page.startswith("<!doctype html>")
    assert 'class="energy source"' in page


def test_another_file_may_be_named_but_only_html(tmp_path):
    _, dub = finished(tmp_path)
    assert polylip("report", dub, "--out", tmp_path / "t.html").exit_code == 0
    assert (tmp_path / "t.html").exists()
    refused = polylip("report", dub, "--out", tmp_path / "t.png")
    assert refused.exit_code == 1
    assert not (tmp_path / "t.png").exists()


def test_a_folder_that_is_no_dub_ends_with_the_reason(tmp_path):
    done = polylip("report", tmp_path)
    assert done.exit_code == 1
    assert "segments.json" in "".join(done.output.split())  # a long path is broken where the line ends
