"""`comet-score` as a stand-in: what it is given, what is made of its answer. COMET itself needs a download."""

import pytest

from orchestrator.evaluation.comet import comet_scores
from orchestrator.evaluation.errors import CometFailed
from orchestrator.evaluation.results import Condition, Segmentation, Text, TranslatedParagraph, TranslatedUnit

STAND_IN = """#!/bin/sh
while [ "$1" != -s ]; do echo "$1" >>"$(dirname "$0")/asked"; shift; done
shift; cat "$1" >"$(dirname "$0")/sources"; shift 2; cat "$1" >"$(dirname "$0")/references"; shift 2
for file in "$@"; do printf '%s\\tscore: 0.%s\\n' "$file" "$(wc -l <"$file")"; done
"""


def condition(way, *translations):
    paragraphs = tuple(
        TranslatedParagraph(
            number=number,
            english="It rains.",
            reference="Llueve.",
            sentences=1,
            units=(TranslatedUnit(source="it rains", translation=text, complete=True, one_sentence=True),),
        )
        for number, text in enumerate(translations)
    )
    return Condition(Text.SAID, way, paragraphs)


CONDITIONS = [condition(Segmentation.PAUSES, "Lluvia", "Lluvia"), condition(Segmentation.GATE, "Llueve", "Llueve")]


@pytest.fixture
def command(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "comet-score"


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "comet" / "checkpoints" / "model.ckpt"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_every_condition_gets_the_score_of_its_file(tmp_path, command, checkpoint):
    command.write_text(STAND_IN)
    command.chmod(0o755)
    assert comet_scores(tmp_path / "comet", CONDITIONS) == [0.2, 0.2]
    assert str(checkpoint) in (command.parent / "asked").read_text().splitlines()
    assert (command.parent / "sources").read_text() == "It rains.\nIt rains.\n"
    assert (command.parent / "references").read_text() == "Llueve.\nLlueve.\n"


@pytest.mark.parametrize("script", ["#!/bin/sh\necho broken >&2; exit 1\n", "#!/bin/sh\necho nothing to say\n"])
def test_a_command_that_fails_or_says_no_scores_is_told(tmp_path, command, checkpoint, script):
    command.write_text(script)
    command.chmod(0o755)
    with pytest.raises(CometFailed):
        comet_scores(tmp_path / "comet", CONDITIONS)


def test_a_missing_command_is_told(tmp_path, command, checkpoint):
    with pytest.raises(CometFailed, match="no command comet-score"):
        comet_scores(tmp_path / "comet", CONDITIONS)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(CometFailed, match="holds 0 files"):
        comet_scores(tmp_path, CONDITIONS)
