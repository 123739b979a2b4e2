from dataclasses import dataclass

import pytest

from orchestrator.session.timing_report import TimingReport, timing_report


@dataclass
class Sentence:
    start_ms: int
    end_ms: int
    dub_start_ms: int
    dub_end_ms: int
    rate: float = 1.0
    speed: float = 1.0
    borrowed_ms: int = 0


def test_a_dub_without_a_sentence_has_no_figures():
    assert timing_report([]) == TimingReport()


def test_overlap_is_the_mean_of_shorter_over_longer():
    report = timing_report(
        [Sentence(0, 1000, 0, 500), Sentence(2000, 3000, 2000, 4000), Sentence(5000, 6000, 5000, 6000)]
    )
    assert report.speech_overlap == pytest.approx(2 / 3, abs=1e-4)


def test_the_rate_of_95_percent_leaves_out_the_worst():
    sentences = [Sentence(0, 1000, 0, 1000, rate=1.0 + index / 100, speed=1.0) for index in range(20)]
    report = timing_report(sentences)
    assert (report.rate_p95, report.rate_max, report.speed_asked_p95) == (1.18, 1.19, 1.0)


def test_silence_within_the_slots_counts_and_speech_of_the_sentence_before_is_no_silence():
    sentences = [Sentence(0, 1000, 0, 2400, borrowed_ms=500), Sentence(2000, 3000, 2400, 2800)]
    report = timing_report(sentences)
    assert report.slot_silent_share == pytest.approx(0.1)
    assert (report.borrowed_ms, report.onset_error_ms_max) == (500, 400)
