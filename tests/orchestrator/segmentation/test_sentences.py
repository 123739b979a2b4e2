import itertools
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.messages import segment_uuid
from orchestrator.segmentation.joining import join_texts
from orchestrator.segmentation.sentences import Decided, Gate, Opinion, SentenceGate

MAX_MS = 10_000
LONG_PAUSE_MS = 1500


def by_full_stop(text, language):
    """A judge like the boundary engine: whole sentences end in a full stop."""
    whole = text.endswith(".")
    return Opinion(whole, Gate.MODEL, pause_ms=LONG_PAUSE_MS, score=0.9 if whole else 0.2)


@dataclass(frozen=True)
class Spoken:
    """One chunk and what is heard in it; "" is no speech."""

    start_ms: int
    end_ms: int
    text: str
    language: str = "en"


class Play:
    """A gate and everything it has decided."""

    def __init__(self, judge=by_full_stop, max_ms=MAX_MS):
        self.gate = SentenceGate(judge, max_ms)
        self.decided: list[Decided] = []

    def cut(self, number, start_ms, end_ms):
        self.decided += self.gate.cut(number, start_ms, end_ms)
        return self

    def hear(self, number, text, language="en"):
        self.decided += self.gate.hear(number, text, language)
        return self

    def settle(self, until_ms):
        self.decided += self.gate.settle(until_ms)
        return self

    def end(self, until_ms=60_000):
        self.decided += self.gate.end(until_ms)
        return self

    @property
    def sentences(self):
        return [(decided.chunks, decided.text, decided.gate) for decided in self.decided]


def test_a_whole_sentence_goes_on_at_once():
    play = Play().cut(0, 0, 2000).hear(0, "It rains.")
    assert play.sentences == [((0,), "It rains.", Gate.MODEL)]
    assert play.decided[0].opinion.score == 0.9


def test_a_part_waits_for_the_next_chunk_and_is_joined_to_it():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains")
    assert play.sentences == []
    assert play.gate.starving
    play.cut(1, 2600, 4000)
    assert not play.gate.starving
    play.hear(1, "we stay at home.")
    assert play.sentences == [((0, 1), "when it rains we stay at home.", Gate.MODEL)]


def test_transcripts_may_come_back_in_any_order():
    play = Play().cut(0, 0, 2000).cut(1, 2600, 4000).cut(2, 4600, 6000)
    play.hear(2, "It rains.").hear(1, "we stay at home.")
    assert play.sentences == []
    play.hear(0, "when it rains")
    assert [chunks for chunks, _, _ in play.sentences] == [(0, 1), (2,)]


def test_a_repeated_transcript_changes_nothing():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").hear(0, "It rains.")
    assert play.sentences == []
    play.cut(1, 2600, 4000).hear(1, "we stay.").hear(1, "we stay.").hear(0, "It rains.")
    assert play.sentences == [((0, 1), "when it rains we stay.", Gate.MODEL)]


def test_a_long_pause_ends_a_sentence_whatever_its_score_as_soon_as_it_is_known():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").settle(3499)
    assert play.sentences == []
    play.settle(3500)
    assert play.sentences == [((0,), "when it rains", Gate.PAUSE)]


def test_a_chunk_beyond_a_long_pause_need_not_be_heard_to_end_the_sentence_before_it():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").cut(1, 3500, 5000)
    assert play.sentences == [((0,), "when it rains", Gate.PAUSE)]


def test_what_would_be_too_long_is_ended_by_force_before_the_next_chunk_is_heard():
    play = Play().cut(0, 0, 6000).hear(0, "when it rains").cut(1, 6500, 10_001)
    assert play.sentences == [((0,), "when it rains", Gate.FORCED)]


def test_a_sentence_may_be_just_as_long_as_allowed():
    play = Play().cut(0, 0, 6000).hear(0, "when it rains").cut(1, 6500, 10_000).hear(1, "we stay.")
    assert play.sentences == [((0, 1), "when it rains we stay.", Gate.MODEL)]


def test_the_end_of_the_sound_ends_what_is_open():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").end(2300)
    assert play.sentences == [((0,), "when it rains", Gate.END)]


def test_the_end_waits_for_transcripts_that_are_still_out():
    play = Play().cut(0, 0, 2000).cut(1, 2600, 4000).end(4100)
    assert play.sentences == []
    play.hear(1, "we stay").hear(0, "when it rains")
    assert play.sentences == [((0, 1), "when it rains we stay", Gate.END)]


def test_a_chunk_without_speech_stands_alone():
    play = Play().cut(0, 0, 2000).hear(0, "", "").cut(1, 2600, 4000).hear(1, "It rains.")
    assert play.sentences == [((0,), "", None), ((1,), "It rains.", Gate.MODEL)]


def test_a_short_noise_within_a_sentence_belongs_to_it():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").cut(1, 2500, 2800).hear(1, "", "")
    assert play.sentences == []
    play.cut(2, 3300, 5000).hear(2, "we stay.")
    assert play.sentences == [((0, 1, 2), "when it rains we stay.", Gate.MODEL)]


def test_a_noise_before_a_long_pause_is_kept_apart():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").cut(1, 2500, 3400).hear(1, "", "").settle(3600)
    assert play.sentences == [((0,), "when it rains", Gate.PAUSE), ((1,), "", None)]


def test_a_chunk_in_another_language_is_not_joined():
    play = Play().cut(0, 0, 2000).hear(0, "when it rains").cut(1, 2600, 4000).hear(1, "nos quedamos.", "es")
    assert play.sentences == [
        ((0,), "when it rains", Gate.LANGUAGE),
        ((1,), "nos quedamos.", Gate.MODEL),
    ]
    assert [decided.language for decided in play.decided] == ["en", "es"]


@st.composite
def clips(draw):
    """Chunks as a segmenter cuts them: in order, with pauses, none longer than allowed by itself."""
    spoken, at = [], 0
    for _ in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from([0, 500, 740, 1499, 1500, 2600]))
        length = draw(st.sampled_from([300, 1000, 2500, 4900, 8000, 10_000]))
        text = draw(st.sampled_from(["", "a part", "A whole one.", "a part", "and more", "Dots..."]))
        spoken.append(Spoken(at, at + length, text, draw(st.sampled_from(["en", "en", "en", "es", ""]))))
        at += length
    return spoken, at + draw(st.sampled_from([0, 400, 1500, 5000]))


def in_order(spoken, end_ms):
    """Everything is known before the next chunk is cut: the plainest run there is."""
    play = Play()
    for number, chunk in enumerate(spoken):
        play.settle(chunk.start_ms).cut(number, chunk.start_ms, chunk.end_ms)
        play.hear(number, chunk.text, chunk.language)
    return play.end(end_ms).decided


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_order_in_which_transcripts_come_back_does_not_change_the_sentences(data):
    spoken, end_ms = data.draw(clips())
    play, out = Play(), []
    for number, chunk in enumerate(spoken):
        if data.draw(st.booleans()):
            play.settle(chunk.start_ms)
        play.cut(number, chunk.start_ms, chunk.end_ms)
        out.append(number)
        for _ in range(data.draw(st.integers(0, len(out)))):
            back = out.pop(data.draw(st.integers(0, len(out) - 1)))
            play.hear(back, spoken[back].text, spoken[back].language)
    play.end(end_ms)
    for back in data.draw(st.permutations(out)):
        play.hear(back, spoken[back].text, spoken[back].language)
    assert play.decided == in_order(spoken, end_ms)


@settings(max_examples=300, deadline=None)
@given(clips())
def test_every_chunk_ends_in_exactly_one_sentence_in_order_and_none_is_too_long(clip):
    spoken, end_ms = clip
    decided = in_order(spoken, end_ms)
    assert [number for each in decided for number in each.chunks] == list(range(len(spoken)))
    for each in decided:
        parts = [spoken[number] for number in each.chunks]
        if each.gate is None:
            assert [part.text for part in parts] == [""]
            continue
        assert parts[0].text and parts[-1].text, "a sentence begins and ends with speech"
        assert each.text == join_texts([part.text for part in parts])
        assert parts[-1].end_ms - parts[0].start_ms <= MAX_MS
        speech = [part for part in parts if part.text]
        gaps = [after.start_ms - before.end_ms for before, after in itertools.pairwise(speech)]
        assert all(gap < LONG_PAUSE_MS for gap in gaps)
        assert len({part.language for part in speech} - {""}) <= 1


@settings(max_examples=100, deadline=None)
@given(clips())
def test_doing_the_work_again_names_the_same_sentences(clip):
    spoken, end_ms = clip
    session = uuid.UUID(int=7)

    def ids():
        return [segment_uuid(session, spoken[each.chunks[0]].start_ms) for each in in_order(spoken, end_ms)]

    assert ids() == ids()
    assert len(set(ids())) == len(ids())


@settings(max_examples=100, deadline=None)
@given(clips())
def test_a_gate_that_calls_everything_whole_leaves_the_chunks_as_they_are(clip):
    spoken, end_ms = clip
    play = Play(lambda text, language: Opinion(True, Gate.OFF))
    for number, chunk in enumerate(spoken):
        play.cut(number, chunk.start_ms, chunk.end_ms).hear(number, chunk.text, chunk.language)
    play.end(end_ms)
    assert play.sentences == [
        ((number,), chunk.text, Gate.OFF if chunk.text else None) for number, chunk in enumerate(spoken)
    ]


@pytest.mark.parametrize("end_ms", [2000, 9000])
def test_nothing_is_held_when_all_is_known(end_ms):
    play = Play().cut(0, 0, 2000).hear(0, "a part").end(end_ms)
    assert len(play.decided) == 1
    assert not play.gate.starving
