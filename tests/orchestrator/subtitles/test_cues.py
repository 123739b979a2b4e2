import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.subtitles.cues import GAP_MS, MIN_CUE_MS, READING_SPEED, Cue, Line, cues_of
from orchestrator.subtitles.layout import MAX_LINES
from orchestrator.subtitles.units import MAX_LINE_WIDTH, width_of

CLIP_END_MS = 60_000
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"

texts = st.lists(st.text(st.sampled_from("abcdé,."), min_size=1, max_size=12), max_size=40).map(" ".join)
sentences = st.lists(st.tuples(st.integers(0, 4000), st.integers(200, 9000), texts), max_size=8)


def spoken(drawn):
    lines, at = [], 0
    for silence_ms, duration_ms, text in drawn:
        lines.append(Line(at + silence_ms, at + silence_ms + duration_ms, text))
        at = lines[-1].end_ms
    return lines, at + 500


@given(sentences)
def test_cues_are_in_order_and_never_together_on_screen(drawn):
    lines, clip_end_ms = spoken(drawn)
    cues = cues_of(lines, "en", clip_end_ms)
    for cue in cues:
        assert 0 <= cue.start_ms < cue.end_ms <= clip_end_ms
    for before, after in itertools.pairwise(cues):
        assert before.end_ms <= after.start_ms


@given(sentences)
def test_every_word_is_shown_in_lines_that_fit(drawn):
    lines, clip_end_ms = spoken(drawn)
    cues = cues_of(lines, "en", clip_end_ms)
    assert " ".join(cue.text for cue in cues).split() == " ".join(line.text for line in lines).split()
    for cue in cues:
        rows = cue.text.split("\n")
        assert len(rows) <= MAX_LINES
        assert all(width_of(row) <= MAX_LINE_WIDTH for row in rows)


@given(sentences)
def test_there_is_time_to_read_wherever_the_silence_allows_it(drawn):
    lines, clip_end_ms = spoken(drawn)
    lines = [line for line in lines if line.text.strip()]
    for line, following in itertools.zip_longest(lines, lines[1:]):
        until_ms = following.start_ms - GAP_MS if following else clip_end_ms
        own = cues_of([line], "en", until_ms) if until_ms > line.start_ms else []
        needs_ms = [max(MIN_CUE_MS, 1000 * width_of(cue.text.replace("\n", " ")) / READING_SPEED) for cue in own]
        if own and until_ms - line.start_ms >= sum(needs_ms) + GAP_MS * len(own):
            for cue, need_ms in zip(own, needs_ms, strict=True):
                assert cue.end_ms - cue.start_ms >= need_ms - 2  # whole milliseconds
        assert not own or own[0].start_ms == line.start_ms


def test_a_cue_has_the_times_of_its_speech_when_they_are_long_enough():
    assert cues_of([Line(1500, 3250, "Hola.")], "es", CLIP_END_MS) == [Cue(1500, 3250, "Hola.")]


def test_a_cue_that_is_too_short_to_read_stays_into_the_silence():
    assert cues_of([Line(1000, 1300, "Sí.")], "es", CLIP_END_MS) == [Cue(1000, 2000, "Sí.")]
    fast = cues_of([Line(1000, 2000, "a" * 34)], "es", CLIP_END_MS)
    assert fast == [Cue(1000, 3000, "a" * 34)]


def test_it_goes_before_the_next_one_comes():
    first, second = cues_of([Line(1000, 1300, "Sí."), Line(1800, 3000, "No.")], "es", CLIP_END_MS)
    assert (first.end_ms, second.start_ms) == (1800 - GAP_MS, 1800)


def test_a_long_sentence_is_shown_in_parts_with_their_share_of_the_time():
    cues = cues_of([Line(0, 9000, LONG)], "en", CLIP_END_MS)
    assert len(cues) == 2
    assert cues[0].start_ms == 0 and cues[-1].end_ms == 9000
    assert cues[1].start_ms - cues[0].end_ms == GAP_MS
    share = len(cues[0].text) / (len(cues[0].text) + len(cues[1].text))
    assert cues[1].start_ms / 9000 == pytest.approx(share, abs=0.03)


def test_slow_speech_is_shown_in_parts_too():
    assert len(cues_of([Line(0, 9000, "one two three four")], "en", CLIP_END_MS)) == 2
    assert len(cues_of([Line(0, 9000, "Mmm.")], "en", CLIP_END_MS)) == 1


def test_no_text_is_no_cue():
    assert cues_of([Line(0, 900, " \n "), Line(1000, 1900, "")], "en", CLIP_END_MS) == []


def test_sentences_that_overlap_are_cut_where_the_next_one_starts():
    first, second = cues_of([Line(0, 5000, "uno"), Line(2000, 4000, "dos")], "es", CLIP_END_MS)
    assert first.end_ms <= second.start_ms == 2000
