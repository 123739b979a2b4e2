"""`polylip eval translation` as a person calls it."""

import json
import subprocess
import sys

import pytest

from orchestrator.evaluation.results import Segmentation, Text

COMMAND = [sys.executable, "-m", "orchestrator.cli.main", "eval", "translation"]


@pytest.mark.triton
def test_two_paragraphs_are_spoken_recognised_and_translated_in_every_way(tmp_path):
    done = subprocess.run(
        [*COMMAND, "--limit", "2", "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out" / "translation.json").read_text())
    ways = [(one["text"], one["segmentation"]) for one in figures["conditions"]]
    assert ways == [(text, way) for text in Text for way in Segmentation]
    assert all(one["chrf"] > 20 for one in figures["conditions"])
    assert all(one["complete_share"] == 1 for one in figures["conditions"] if one["segmentation"] == "reference")
    assert figures["word_error_rate"] < 0.5
    assert figures["paragraphs"] == 2
    assert "paper claims" in done.stdout
    assert "tok:13a" in done.stdout
    assert "not computed" in done.stdout
    texts = json.loads((tmp_path / "out" / "texts.json").read_text())
    assert len(texts[0]["paragraphs"]) == 2


def test_the_command_line_works_without_what_only_evaluations_need(tmp_path):
    hidden = "import sys; sys.modules['sacrebleu'] = None; from orchestrator.cli.main import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "eval", "translation", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "evaluation-extra-missing" in done.stderr
    assert "pip install" in done.stderr
