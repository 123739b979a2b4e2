import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import TranscriptRefused
from orchestrator.subtitles.cues import Cue, Line
from orchestrator.subtitles.transcript import read_transcript, sentences_of


def joined(*cues):
    return sentences_of(cues, max_pause_ms=1000, max_sentence_ms=10_000)


def test_cues_are_joined_until_the_sentence_ends():
    assert joined(Cue(0, 1000, "When we came\nhome,"), Cue(1200, 2000, "it rained."), Cue(2100, 3000, "Yes.")) == [
        Line(0, 2000, "When we came home, it rained."),
        Line(2100, 3000, "Yes."),
    ]


def test_a_quotation_mark_behind_the_full_stop_ends_a_sentence_too():
    assert len(joined(Cue(0, 1000, "He said “no.”"), Cue(1000, 2000, "And left."))) == 2


def test_a_long_pause_and_a_long_sentence_end_it_as_well():
    assert len(joined(Cue(0, 1000, "one"), Cue(2001, 3000, "two"))) == 2
    assert len(joined(Cue(0, 6000, "one"), Cue(6000, 10_001, "two"))) == 2


def test_markup_is_not_spoken():
    assert joined(Cue(0, 1000, r'{\an8}<i>Hello</i> <font color="#fff">you</font>.'), Cue(1000, 2000, "<b></b>")) == [
        Line(0, 1000, "Hello you.")
    ]
    assert joined(Cue(0, 1000, "if a < b > c.")) == [Line(0, 1000, "if a < b > c.")]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 4000), st.text(st.sampled_from("ab. ?"), min_size=1))))
def test_every_word_is_in_one_sentence_and_sentences_keep_their_order(drawn):
    cues, at = [], 0
    for silence_ms, duration_ms, text in drawn:
        cues.append(Cue(at + silence_ms, at + silence_ms + duration_ms, text))
        at = cues[-1].end_ms
    sentences = joined(*cues)
    assert " ".join(s.text for s in sentences).split() == " ".join(c.text for c in cues).split()
    for before, after in itertools.pairwise(sentences):
        assert before.start_ms < before.end_ms <= after.start_ms


def test_a_file_is_read_as_sentences():
    content = b"1\n00:00:00,000 --> 00:00:01,000\nOne\n\n2\n00:00:01,000 --> 00:00:02,000\ntwo.\n"
    assert read_transcript(content, 2000, 10_000) == (Line(0, 2000, "One two."),)


def test_a_file_in_which_nothing_can_be_spoken_is_refused():
    with pytest.raises(TranscriptRefused, match="can be spoken"):
        read_transcript(b"1\n00:00:00,000 --> 00:00:01,000\n<i></i>\n", 2000, 10_000)
