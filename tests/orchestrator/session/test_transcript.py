"""A session that is told what is spoken."""

import pytest

from orchestrator.session.report import build_report, segment_entries
from orchestrator.subtitles.cues import Line
from tests.fakes.pipeline import fake_pipeline
from tests.media_factory import Burst, make_clip

SENTENCES = (Line(500, 1500, "When we came home it rained."), Line(1500, 2500, "Yes."), Line(4000, 5600, "So."))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Its sound has one burst where the transcript has three sentences."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_clip(path, duration_s=6.0, size=(64, 64), fps=10, bursts=[Burst(1.0, 3.0, 500.0)])


def test_the_cues_are_the_sentences_and_nobody_listens(clip, tmp_path):
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip, transcript=SENTENCES)
        assert session.run(tmp_path / "result.mp4")
    assert pipeline.engines.stt_engine.calls == []
    entries = segment_entries(session)
    assert [(entry.start_ms, entry.end_ms, entry.source_text) for entry in entries] == [
        (line.start_ms, line.end_ms, line.text) for line in SENTENCES
    ]
    assert [entry.text for entry in entries] == [f"{line.text} (es)" for line in SENTENCES]
    report = build_report(session, spoken=True)
    assert (report.sentences_from, report.stages["stt"].items, report.stages["mt"].items) == ("transcript", 0, 3)
    assert report.gate.ended_by["transcript"] == 3


def test_without_a_transcript_the_report_says_that_it_was_heard(clip, tmp_path):
    with fake_pipeline() as pipeline:
        session = pipeline.session(clip)
        session.run(tmp_path / "result.mp4")
    assert build_report(session, spoken=True).sentences_from == "stt"


def test_a_sentence_that_becomes_nothing_to_say_keeps_its_own_sound(clip, tmp_path):
    with fake_pipeline() as pipeline:
        pipeline.engines.mt_engine._dictionary = {"So.": ""}
        session = pipeline.session(clip, transcript=SENTENCES)
        session.run(tmp_path / "result.mp4")
    assert [entry.verdict for entry in segment_entries(session)][-1] == "kept"
