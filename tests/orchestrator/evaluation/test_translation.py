"""The whole evaluation with engines that are told what to say."""

import numpy as np
import pytest

from client.contracts import Transcription
from client.errors import EngineTimeout
from orchestrator.evaluation import flite
from orchestrator.evaluation.cache import AnswerCache
from orchestrator.evaluation.errors import VoiceMissing
from orchestrator.evaluation.paragraphs import Paragraph, ReferenceSentence
from orchestrator.evaluation.results import Segmentation, Text, summed_up
from orchestrator.evaluation.translation import EvaluatedEngines, TranslationEvaluation
from orchestrator.settings import Settings
from tests.fakes.engines import FakeBoundary, FakeMt, FakeStt

RAIN = ReferenceSentence(("If it rains tomorrow,", "we will all stay at home."), "Si llueve mañana, nos quedamos.")
SUN = ReferenceSentence(("Then we will read a good book.",), "Entonces leemos un libro.")
HALF, WHOLE, LAST = (
    "If it rains tomorrow",
    "If it rains tomorrow we will all stay at home",
    "Then we will read a good book",
)
SPANISH = {
    HALF: "Si lluvia mañana",
    "We will all stay at home": "Casa",
    WHOLE: "Si llueve mañana nos quedamos",
    LAST: "Entonces leemos un libro",
}
PARAGRAPHS = [Paragraph(number, (RAIN, SUN)) for number in (1, 2, 3)]


def hum(text):
    """2 s of tone instead of speech."""
    return 0.3 * np.sin(np.arange(2 * flite.SAMPLE_RATE_HZ) * 0.3).astype(np.float32)


@pytest.fixture(autouse=True)
def _no_flite(monkeypatch):
    monkeypatch.setattr(flite, "speak", hum)


def evaluation(folder, *, stt=None, mt=None, version="1"):
    boundary = FakeBoundary({HALF: 0.1, WHOLE: 0.95, LAST: 0.95})
    engines = EvaluatedEngines(
        stt, mt or FakeMt(SPANISH), boundary, {"stt": f"ear {version}", "mt": f"tongue {version}"}
    )
    steps = []
    run = TranslationEvaluation(engines, Settings(), AnswerCache(folder), lambda *step: steps.append(step))
    return run, steps


def test_the_gate_translates_sentences_and_pauses_translate_parts(tmp_path):
    run, steps = evaluation(tmp_path)
    done = run.run(PARAGRAPHS)
    assert [(one.text, one.segmentation) for one in done.conditions] == [
        (text, way) for text in (Text.SAID, Text.PUNCTUATED) for way in Segmentation
    ]
    figures = summed_up(done.conditions, {}, done.word_error_rate, done.fallbacks)
    gate, pauses = figures.of(Text.SAID, Segmentation.GATE), figures.of(Text.SAID, Segmentation.PAUSES)
    assert gate.complete_share == gate.one_sentence_share == gate.sentence_f1 == 1.0 > pauses.complete_share
    assert pauses.sentence_f1 == pytest.approx(2 * 4 / (8 + 6))
    assert (gate.bleu, gate.chrf) == pytest.approx((100, 100))
    assert gate.bleu_written < gate.bleu
    assert figures.gain(Text.SAID, "bleu").gain == pytest.approx(gate.bleu - pauses.bleu)
    assert figures.gain(Text.SAID, "bleu") == figures.gain(Text.SAID, "bleu", Segmentation.REFERENCE)
    assert figures.word_error_rate is None
    assert not done.fallbacks
    assert steps[0] == ("speak", 0, 3)
    assert steps[-1] == ("translate punctuated, reference", 3, 3)


def test_what_is_heard_is_translated_too_and_its_errors_are_counted(tmp_path):
    run, _ = evaluation(tmp_path, stt=FakeStt("Mumble"))
    done = run.run(PARAGRAPHS[:1])
    assert [one.text for one in done.conditions] == [text for text in Text for _ in Segmentation]
    assert done.word_error_rate == 1.0
    heard = done.conditions[0].paragraphs[0]
    assert {unit.source for unit in heard.units} == {"Mumble"}
    assert heard.translation == " ".join(["Mumble (es)"] * len(heard.units))


def test_a_second_run_asks_no_engine_again_and_finds_the_same(tmp_path):
    first = evaluation(tmp_path, stt=FakeStt("Mumble"))[0].run(PARAGRAPHS)
    stt, mt = FakeStt("Other"), FakeMt()
    assert evaluation(tmp_path, stt=stt, mt=mt)[0].run(PARAGRAPHS) == first
    assert (stt.calls, mt.calls) == ([], [])


def test_another_version_of_an_engine_is_asked(tmp_path):
    evaluation(tmp_path, stt=FakeStt("Mumble"))[0].run(PARAGRAPHS[:1])
    stt = FakeStt("Other")
    evaluation(tmp_path, stt=stt, version="2")[0].run(PARAGRAPHS[:1])
    assert stt.calls


def test_an_answer_that_was_torn_is_asked_for_again(tmp_path):
    first = evaluation(tmp_path)[0].run(PARAGRAPHS[:1])
    for file in tmp_path.glob("*.json"):
        file.write_bytes(b'"half an ans')
    assert evaluation(tmp_path)[0].run(PARAGRAPHS[:1]) == first


def test_a_chunk_that_the_recogniser_doubts_is_not_translated(tmp_path):
    doubtful = FakeStt(hear=lambda _audio, _language: Transcription("Mumble", "en", 0.9, -3.0))
    done = evaluation(tmp_path, stt=doubtful)[0].run(PARAGRAPHS[:1])
    assert all(not one.paragraphs[0].units for one in done.conditions if one.text is Text.HEARD)
    summed_up(done.conditions, {}, done.word_error_rate, done.fallbacks)


def test_a_failing_engine_ends_the_run_with_its_error(tmp_path):
    run, _ = evaluation(tmp_path, mt=FakeMt(failures=[EngineTimeout("mt", "too slow")]))
    with pytest.raises(EngineTimeout):
        run.run(PARAGRAPHS)


def test_without_flite_the_reason_is_told(tmp_path, monkeypatch):
    def absent(text):
        raise FileNotFoundError("flite")

    monkeypatch.setattr(flite, "speak", absent)
    with pytest.raises(VoiceMissing, match="flite"):
        evaluation(tmp_path)[0].run(PARAGRAPHS)
