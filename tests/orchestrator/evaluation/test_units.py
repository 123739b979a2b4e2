"""What is translated at once, and whether it is a whole sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.evaluation.speech import Piece, SpokenParagraph
from orchestrator.evaluation.units import (
    HeardChunk,
    Unit,
    as_recognised,
    by_gate,
    by_pauses,
    by_reference,
    is_complete,
    is_one_sentence,
    with_true_texts,
)
from orchestrator.segmentation.sentences import Gate, Opinion

SPOKEN = SpokenParagraph(
    np.zeros(16_000 * 8, np.float32),
    (Piece(0, "If it rains,", 0.6, 2.0), Piece(0, "we stay.", 2.7, 4.3), Piece(1, "I like it.", 5.2, 7.0)),
)
CHUNKS = [
    HeardChunk(620, 2020, "If it rains", "en"),
    HeardChunk(2700, 4280, "We stay", "en"),
    HeardChunk(5200, 7000, "I like it", "en"),
]


def whole_when(*texts):
    return lambda text, _language: Opinion(text in texts, Gate.MODEL, pause_ms=1500)


def test_pauses_make_every_chunk_with_speech_a_unit():
    noise = HeardChunk(7400, 7500, "", "en")
    assert by_pauses([*CHUNKS, noise]) == [Unit(one.start_ms, one.end_ms, one.text) for one in CHUNKS]


def test_the_gate_joins_what_is_one_sentence():
    units = by_gate(CHUNKS, whole_when("If it rains we stay", "I like it"), 10_000, 8000)
    assert units == [Unit(620, 4280, "If it rains we stay"), Unit(5200, 7000, "I like it")]


def test_the_gate_is_given_the_longest_sentence():
    units = by_gate(CHUNKS, whole_when(), 4000, 8000)
    assert [unit.text for unit in units] == ["If it rains we stay", "I like it"]


def test_the_reference_joins_chunks_of_one_sentence():
    assert by_reference(CHUNKS, SPOKEN) == [Unit(620, 4280, "If it rains we stay"), Unit(5200, 7000, "I like it")]


def test_true_texts_take_the_place_of_what_was_misheard():
    misheard = [HeardChunk(one.start_ms, one.end_ms, "mumble", "en") for one in CHUNKS]
    assert with_true_texts(misheard, SPOKEN, as_recognised) == CHUNKS
    assert [one.text for one in with_true_texts(misheard, SPOKEN, str)] == ["If it rains,", "we stay.", "I like it."]


def test_true_texts_are_not_lost_where_chunks_ran_together_or_were_cut_by_force():
    together = with_true_texts(
        [HeardChunk(600, 4300, "", "en"), HeardChunk(5200, 7000, "", "en")], SPOKEN, as_recognised
    )
    assert [one.text for one in together] == ["If it rains we stay", "I like it"]
    cut = with_true_texts([HeardChunk(600, 3000, "", "en"), HeardChunk(3000, 7000, "", "en")], SPOKEN, as_recognised)
    assert [one.text for one in cut] == ["If it rains", "We stay I like it"]


@pytest.mark.parametrize(
    ("written", "recognised"),
    [("Today, I think that I'm ill.", "Today I think that I'm ill"), ("What? No!", "What no"), ("", "")],
)
def test_a_text_loses_what_no_recogniser_without_punctuation_writes(written, recognised):
    assert as_recognised(written) == recognised


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "complete", "one"),
    [
        (600, 4300, True, True),
        (700, 4180, True, True),
        (5200, 7000, True, True),
        (600, 7000, True, False),
        (600, 2000, False, False),
        (2700, 4300, False, False),
        (2700, 7000, False, False),
        (600, 6000, False, False),
    ],
)
def test_a_unit_is_complete_where_both_of_its_edges_are_edges_of_sentences(start_ms, end_ms, complete, one):
    unit = Unit(start_ms, end_ms, "")
    assert (is_complete(unit, SPOKEN), is_one_sentence(unit, SPOKEN)) == (complete, one)


@given(st.integers(0, 7), st.integers(0, 7))
def test_whatever_is_one_sentence_is_complete(start_s, end_s):
    unit = Unit(1000 * start_s, 1000 * end_s, "")
    assert is_complete(unit, SPOKEN) or not is_one_sentence(unit, SPOKEN)
