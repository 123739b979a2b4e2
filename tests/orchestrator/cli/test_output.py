import pytest

from orchestrator.cli import output

GATE = {
    "engine": "sentence_boundary",
    "chunks": 5,
    "sentences": 3,
    "ended_by": {"model": 2, "punctuation": 0, "pause": 1},
    "scored": 4,
    "score_ms_p50": 6.2,
    "fallbacks": {},
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Sentences: 3 of 5 chunks, ended 2 by model, 1 by pause; sentence_boundary took 6 ms a text"),
        (
            {"scored": 0, "fallbacks": {"engine-not-loaded": 4}},
            "Sentences: 3 of 5 chunks, ended 2 by model, 1 by pause; "
            "punctuation and pauses decided (engine-not-loaded 4 times)",
        ),
    ],
)
def test_it_is_told_what_made_the_sentences_and_when_the_engine_could_not(capsys, changes, told):
    output._print_gate(GATE | changes)
    assert "".join(capsys.readouterr().out.split()) == "".join(told.split()), "wherever lines are broken"
