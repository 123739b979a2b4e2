import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import TranscriptRefused, TranscriptTooLarge
from orchestrator.subtitles.cues import Cue, Line, cues_of
from orchestrator.subtitles.formats import to_srt
from orchestrator.subtitles.srt import MAX_BYTES, parse_srt

CLIP_END_MS = 20_000
GOOD = "1\n00:00:01,000 --> 00:00:02,500\nHello there.\n\n2\n00:00:02,500 --> 00:00:04,000\nHow are you\ntoday?\n"
CUES = [Cue(1000, 2500, "Hello there."), Cue(2500, 4000, "How are you\ntoday?")]


@st.composite
def any_cues(draw):
    lines, at = [], 0
    for text in draw(st.lists(st.text(max_size=120), min_size=1, max_size=6)):
        at += draw(st.integers(0, 2000))
        duration_ms = draw(st.integers(1, 8000))
        lines.append(Line(at, at + duration_ms, text))
        at += duration_ms
    return cues_of(lines, "en", at + draw(st.integers(0, 3000)))


@given(any_cues())
def test_what_is_written_is_read_back(cues):
    if cues:
        assert parse_srt(to_srt(cues).encode(), cues[-1].end_ms) == cues


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        "\n\n" + GOOD.replace("\n\n", "\n\n\n") + "\n\n",
        GOOD.replace("2\n00", "7\n00").rstrip(),
    ],
    ids=["plain", "CRLF", "CR", "byte order mark", "more blank lines", "other numbers, no last line break"],
)
def test_the_usual_ways_to_write_the_same_file_are_read(content):
    assert parse_srt(content.encode(), CLIP_END_MS) == CUES


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", 1, "no cue"),
        (" \n\n", 1, "no cue"),
        (GOOD.replace("2\n00", "00"), 5, "number of a cue"),
        ("one\n", 1, "number of a cue"),
        (GOOD + "\n3\n", 10, "no times"),
        (GOOD.replace(",500 -->", ".500 -->"), 6, "expected times"),
        (GOOD.replace("-->", "->", 1), 2, "expected times"),
        (GOOD.replace("00:00:01,000", "00:61:01,000"), 2, "expected times"),
        (GOOD.replace("00:00:01,000", "0٠:00:01,000"), 2, "expected times"),
        (GOOD.replace("00:00:04,000", "00:00:02,500"), 6, "ends before it starts"),
        (GOOD.replace("00:00:02,500 --> 00:00:04", "00:00:02,499 --> 00:00:04"), 6, "overlaps"),
        (GOOD.replace("00:00:04,000", "00:00:20,101"), 6, "beyond the clip, which ends at 20.000 s"),
        (GOOD.replace("00:00:02,500 --> 00:00:04,000", "00:00:20,000 --> 00:00:20,050"), 6, "beyond the clip"),
        (GOOD.replace("Hello there.\n", ""), 2, "no text"),
        (GOOD.replace("today?", "to\x07day?"), 8, "control character"),
        (GOOD.replace("Hello", "x" * 1001), 3, "characters"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(content, line, reason):
    with pytest.raises(TranscriptRefused, match=reason) as refusal:
        parse_srt(content.encode(), CLIP_END_MS)
    assert refusal.value.line == line
    assert str(refusal.value).startswith(f"line {line}: ")


def test_bytes_that_are_not_utf_8_are_refused_with_their_line():
    with pytest.raises(TranscriptRefused, match="line 7: it is not UTF-8"):
        parse_srt(GOOD.encode().replace(b"How", b"H\xf3w"), CLIP_END_MS)


def test_too_many_bytes_are_too_large():
    with pytest.raises(TranscriptTooLarge):
        parse_srt(b" " * (MAX_BYTES + 1), CLIP_END_MS)


def test_the_last_cue_may_end_a_little_behind_the_clip_and_is_cut_there():
    cues = parse_srt(GOOD.encode(), 3950)
    assert cues[-1].end_ms == 3950


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_is_raised(content):
    try:
        parse_srt(content, CLIP_END_MS)
    except TranscriptRefused as refusal:
        assert refusal.line >= 1
