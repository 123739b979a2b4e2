"""Where the pauses are: asked for, and in flite's sound."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.evaluation import flite
from orchestrator.evaluation.paragraphs import read_paragraphs
from orchestrator.evaluation.speech import (
    INNER_PAUSE_S,
    LEAD_S,
    SENTENCE_PAUSE_S,
    TAIL_S,
    Utterance,
    plan_pauses,
    speak_paragraph,
)

PARAGRAPHS = read_paragraphs()
RATE_HZ = flite.SAMPLE_RATE_HZ


@given(st.sampled_from(PARAGRAPHS), st.integers(0, 1000))
def test_nothing_is_left_unsaid_and_every_pause_is_as_long_as_its_kind(paragraph, seed):
    utterances = plan_pauses(paragraph, seed)
    assert utterances == plan_pauses(paragraph, seed)
    assert " ".join(one.text for one in utterances) == paragraph.english
    for one, following in itertools.pairwise(utterances):
        inner = one.sentence == following.sentence
        low, high = INNER_PAUSE_S if inner else SENTENCE_PAUSE_S
        assert low <= one.pause_s <= high


def test_some_paragraphs_are_fluent_and_most_sentences_that_can_be_are_interrupted():
    plans = [plan_pauses(paragraph, 7) for paragraph in PARAGRAPHS]
    inner = [len(plan) - len(paragraph.sentences) for plan, paragraph in zip(plans, PARAGRAPHS, strict=True)]
    assert 0 < sum(pauses == 0 for pauses in inner) < len(inner) / 2


def test_another_seed_pauses_elsewhere():
    assert [plan_pauses(one, 1) for one in PARAGRAPHS] != [plan_pauses(one, 2) for one in PARAGRAPHS]


def test_a_paragraph_lies_where_its_pieces_say():
    utterances = [Utterance(0, "one", 0.6), Utterance(0, "three", 0.8), Utterance(1, "five", 9.0)]
    spoken = speak_paragraph(utterances, lambda text: np.full(len(text) * 1600, 0.5, np.float32))
    spans = [(piece.start_s, piece.end_s) for piece in spoken.pieces]
    begin = LEAD_S
    assert spans[0] == pytest.approx((begin, begin + 0.3))
    assert spans[1] == pytest.approx((begin + 0.9, begin + 1.4))
    assert spans[2] == pytest.approx((begin + 2.2, begin + 2.6))
    assert spoken.sentence_spans_s() == [(spans[0][0], spans[1][1]), spans[2]]
    assert len(spoken.samples) == round((begin + 2.6 + TAIL_S) * RATE_HZ)
    loud = np.zeros(len(spoken.samples), bool)
    for start_s, end_s in spans:
        loud[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)] = True
    assert np.array_equal(spoken.samples > 0, loud)


def test_flite_pauses_where_and_as_long_as_it_was_asked():
    utterances = plan_pauses(PARAGRAPHS[2], 7)
    assert len(utterances) > len(PARAGRAPHS[2].sentences)
    spoken = speak_paragraph(utterances, flite.speak)
    assert len(spoken.pieces) == len(utterances)
    for utterance, piece, following in zip(utterances, spoken.pieces, spoken.pieces[1:], strict=False):
        assert following.start_s - piece.end_s == pytest.approx(utterance.pause_s, abs=1e-4)
        pause = spoken.samples[round(piece.end_s * RATE_HZ) : round(following.start_s * RATE_HZ)]
        assert not pause.any()
    for piece in spoken.pieces:
        speech = np.abs(spoken.samples[round(piece.start_s * RATE_HZ) : round(piece.end_s * RATE_HZ)])
        edge = round(0.03 * RATE_HZ)
        assert speech.max() > 0.1
        assert speech[:edge].any() and speech[-edge:].any()
        assert piece.end_s - piece.start_s > 0.2 * len(piece.text.split()) / 2
