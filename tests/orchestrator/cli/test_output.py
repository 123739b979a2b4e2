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


@pytest.mark.parametrize(
    ("voice", "told"),
    [
        (
            {"outcome": "cloned", "speech_s": 6.12, "stretches_ms": [[660, 2460], [3280, 7600]]},
            "Voice: cloned from 6.1 s of the speaker, 0.7..2.5 s, 3.3..7.6 s",
        ),
        ({"outcome": "too-little-speech"}, "Voice: the engine's own; the clip has too little speech to clone one from"),
        ({"outcome": "engines-own"}, ""),
        ({"outcome": "off"}, ""),
    ],
)
def test_whose_voice_it_is_is_told_where_one_could_be_cloned(capsys, voice, told):
    output._print_voice(voice)
    assert "".join(capsys.readouterr().out.split()) == "".join(told.split())


def test_what_the_engine_remarks_on_is_told_with_the_fit():
    segment = {"verdict": "fits", "borrowed_ms": 40, "remarks": ["spoken again", "cut at 3 s"]}
    assert output._fit(segment) == "fits, +40 ms, spoken again, cut at 3 s"
    assert output._fit({"verdict": "fits"}) == "fits"
