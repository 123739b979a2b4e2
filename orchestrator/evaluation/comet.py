"""COMET, where its checkpoint is at hand: asked as the command `comet-score` of an environment of its own.

Its package needs other versions of numpy and PyTorch than ours, so it is never imported here.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from orchestrator.evaluation.errors import CometFailed
from orchestrator.evaluation.results import Condition

COMMAND = "comet-score"
_SCORE = re.compile(r"^(?P<file>\S+)\tscore: (?P<score>-?[\d.]+)$", re.MULTILINE)
"""The command's line for one file of translations."""


def comet_scores(folder: Path, conditions: Sequence[Condition]) -> list[float]:
    """Return the mean score of each condition's paragraphs, by the one checkpoint (*.ckpt) under `folder`.

    Raises:
        CometFailed: there is not exactly one checkpoint, no command, or it failed.
    """
    checkpoints = sorted(folder.rglob("*.ckpt"))
    if len(checkpoints) != 1:
        raise CometFailed(f"{folder} holds {len(checkpoints)} files *.ckpt, expected one")
    with tempfile.TemporaryDirectory() as scratch:
        sources = _written(Path(scratch, "sources"), [one.english for one in conditions[0].paragraphs])
        references = _written(Path(scratch, "references"), [one.reference for one in conditions[0].paragraphs])
        files = [
            _written(Path(scratch, f"translations{number}"), [one.translation for one in condition.paragraphs])
            for number, condition in enumerate(conditions)
        ]
        command = [COMMAND, "--quiet", "--gpus", "0", "--model", str(checkpoints[0].resolve())]
        command += ["-s", str(sources), "-r", str(references), "-t", *map(str, files)]
        scores = {Path(match["file"]).name: float(match["score"]) for match in _SCORE.finditer(_output(command))}
    if not all(file.name in scores for file in files):
        raise CometFailed(f"{COMMAND} did not tell the score of every file")
    return [scores[file.name] for file in files]


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - no shell
    except FileNotFoundError as error:
        raise CometFailed(f"there is no command {COMMAND}: install unbabel-comet where it is found") from error
    except subprocess.CalledProcessError as error:
        raise CometFailed(f"{COMMAND} failed: {error.stderr.strip()[-500:]}") from error


def _written(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
