from orchestrator.subtitles.cues import Cue
from orchestrator.subtitles.formats import to_srt, to_vtt

CUES = [Cue(1500, 3250, "Hola."), Cue(3_723_004, 3_725_000, "Una frase que no cabe\nen una sola línea.")]


def test_srt_numbers_its_cues():
    assert to_srt(CUES) == (
        "1\n00:00:01,500 --> 00:00:03,250\nHola.\n\n"
        "2\n01:02:03,004 --> 01:02:05,000\nUna frase que no cabe\nen una sola línea.\n"
    )


def test_vtt_begins_with_its_signature_and_separates_cues_by_blank_lines():
    lines = to_vtt(CUES).split("\n")
    assert lines[:4] == ["WEBVTT", "", "00:00:01.500 --> 00:00:03.250", "Hola."]
    assert lines[4] == ""


def test_vtt_text_is_never_markup():
    assert "a &lt;b&gt; &amp; c" in to_vtt([Cue(0, 1000, "a <b> & c")])


def test_no_cues_make_valid_empty_files():
    assert to_srt([]) == ""
    assert to_vtt([]).startswith("WEBVTT\n")
