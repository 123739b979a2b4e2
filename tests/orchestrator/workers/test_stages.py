"""What each stage makes of its record."""

import itertools

import numpy as np
import pytest
import soxr

from client.contracts import AudioChunk, SpeechPace, Transcription
from client.errors import EngineUnavailable
from orchestrator.errors import Unroutable
from orchestrator.messages import SPOKEN_SAMPLE_RATE_HZ, SpokenSentence, Transcript, Translation
from orchestrator.pcm import float_to_pcm, pcm_to_float
from orchestrator.queues import topology
from orchestrator.voice.reference import voice_id
from orchestrator.workers.base import StageWorker
from orchestrator.workers.mt import MtStage
from orchestrator.workers.stt import SttStage
from orchestrator.workers.tts import MAX_CHUNK_SAMPLES, TtsStage
from tests.fakes.broker import FakeDelivery, FakeOutbox
from tests.fakes.engines import FakeMt, FakeStt, FakeTts
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import SPOKEN, TRANSCRIPTS, sentence, speech_chunk, translation


def speak(work: Translation, engine: FakeTts) -> list[SpokenSentence]:
    delivery, outbox = FakeDelivery(work), FakeOutbox()
    StageWorker(TtsStage(FakeEngines(tts_engine=engine)), outbox).handle(delivery)
    assert delivery.outcome == "acked"
    return outbox.records(SPOKEN)


class Scripted(FakeTts):
    """Speaks given pieces."""

    def __init__(self, *pieces: AudioChunk) -> None:
        super().__init__()
        self._pieces = pieces

    def _stream(self, call):
        yield from self._pieces


class Remarking(FakeTts):
    """Remarks on every part as told."""

    def __init__(self, *remarks: str, **options: object) -> None:
        super().__init__(**options)
        self._remarks = remarks

    def _stream(self, call):
        yield AudioChunk(np.full(240, 0.1, np.float32), 24_000, self._remarks[len(self.calls) - 1])


def test_stt_hears_the_chunks_own_samples_and_language():
    samples = np.array([0.0, 0.5, -0.5, 0.25], np.float32)
    engine = FakeStt(hear=lambda audio, language: Transcription("  hi there \n", language, 0.25, -0.5))
    outbox = FakeOutbox()
    worker = StageWorker(SttStage(FakeEngines(stt_engine=engine)), outbox)
    worker.handle(FakeDelivery(speech_chunk(pcm=float_to_pcm(samples))))
    np.testing.assert_array_equal(engine.calls[0].audio, samples)
    (transcript,) = outbox.records(TRANSCRIPTS)
    assert isinstance(transcript, Transcript)
    assert (transcript.text, transcript.language) == ("hi there", "en")
    assert (transcript.no_speech_probability, transcript.mean_logprob) == (0.25, -0.5)


def test_mt_passes_on_everything_that_the_tts_stage_and_the_session_need():
    outbox = FakeOutbox()
    worker = StageWorker(MtStage(FakeEngines(mt_engine=FakeMt({"good morning": " buenos días "}))), outbox)
    worker.handle(FakeDelivery(sentence(engines={"tts": "other"})))
    (translated,) = outbox.records(topology.TRANSLATION)
    assert isinstance(translated, Translation)
    assert (translated.source_text, translated.text, translated.target_language) == (
        "good morning",
        "buenos días",
        "es",
    )
    assert (translated.reply_to, translated.spoken_reply_to) == (TRANSCRIPTS, SPOKEN)
    assert translated.engines == {"tts": "other"}
    assert [timing.stage for timing in translated.timings] == ["mt"]


def test_mt_keeps_the_glossary_and_tells_the_tts_stage_what_it_could_not_keep():
    engine = FakeMt({"good morning": "buenos días", "Qzxa Qzxb": "Qzxa", "good": "bueno", "morning": "mañana"})
    outbox = FakeOutbox()
    worker = StageWorker(MtStage(FakeEngines(mt_engine=engine)), outbox)
    worker.handle(FakeDelivery(sentence(glossary={"good": "gran", "morning": "alba"})))
    (translated,) = outbox.records(topology.TRANSLATION)
    assert (translated.text, translated.glossary_missed) == ("buenos días", ("good", "morning"))
    outbox = FakeOutbox()
    StageWorker(TtsStage(FakeEngines()), outbox).handle(FakeDelivery(translated))
    assert {part.glossary_missed for part in outbox.records(SPOKEN)} == {("good", "morning")}


def test_nothing_to_translate_or_to_speak_stays_nothing_and_asks_no_engine():
    engines, outbox = FakeEngines(), FakeOutbox()
    StageWorker(MtStage(engines), outbox).handle(FakeDelivery(sentence(text=" ")))
    (translated,) = outbox.records(topology.TRANSLATION)
    StageWorker(TtsStage(engines), outbox).handle(FakeDelivery(translated))
    (spoken,) = outbox.records(SPOKEN)
    assert (spoken.final, spoken.pcm, spoken.chunk_index) == (True, b"", 0)
    assert engines.asked == []


def test_tts_streams_numbered_chunks_of_one_synthesis_and_marks_the_last():
    spoken = speak(translation(), FakeTts(chunk_s=0.1))
    assert len(spoken) > 3
    assert [chunk.chunk_index for chunk in spoken] == list(range(len(spoken)))
    assert [chunk.final for chunk in spoken] == [False] * (len(spoken) - 1) + [True]
    assert len({chunk.synthesis_id for chunk in spoken}) == 1
    assert {(chunk.source_text, chunk.text) for chunk in spoken} == {("good morning", "buenos días")}
    assert [[timing.stage for timing in chunk.timings] for chunk in spoken[-2:]] == [[], ["tts"]]


def test_the_engine_is_asked_for_the_speed_that_makes_the_speech_fit_and_the_session_is_told():
    engine = FakeTts(pace=SpeechPace((0.5, 2.0), {"es": 10.0}))
    spoken = speak(translation(text="a" * 11, start_ms=1000, end_ms=2000), engine)
    assert engine.calls[0].speed == pytest.approx(1.1)
    assert {chunk.speed for chunk in spoken} == {engine.calls[0].speed}


def test_mt_hands_the_reference_on_and_the_engine_gets_its_samples_with_every_part():
    pcm = float_to_pcm(np.linspace(-1, 1, 999, dtype=np.float32))
    outbox = FakeOutbox()
    StageWorker(MtStage(FakeEngines(mt_engine=FakeMt({"good morning": "Buenos días. Hola."}))), outbox).handle(
        FakeDelivery(sentence(voice_pcm=pcm))
    )
    (translated,) = outbox.records(topology.TRANSLATION)
    engine = FakeTts(clones=True, max_text_chars=12)
    spoken = speak(translated, engine)
    assert [call.text for call in engine.calls] == ["Buenos días.", "Hola."]
    for call in engine.calls:
        np.testing.assert_array_equal(call.speaker_audio, pcm_to_float(pcm))
        assert call.speaker_audio.dtype == np.float32
    assert {chunk.voice for chunk in spoken} == {voice_id(pcm)}


def test_without_a_reference_the_engine_gets_none():
    engine = FakeTts()
    assert {chunk.voice for chunk in speak(translation(), engine)} == {""}
    assert engine.calls[0].speaker_audio is None


def test_a_text_that_is_too_long_for_the_engine_is_spoken_in_parts_of_one_gapless_stream():
    text = "Uno dos tres. Cuatro cinco seis. Siete."
    engine = FakeTts(seconds_per_character=0.01, max_text_chars=20)
    spoken = speak(translation(text=text), engine)
    assert [call.text for call in engine.calls] == ["Uno dos tres.", "Cuatro cinco seis.", "Siete."]
    assert len({call.speed for call in engine.calls}) == 1
    assert len({chunk.synthesis_id for chunk in spoken}) == 1
    assert [chunk.chunk_index for chunk in spoken] == list(range(len(spoken)))
    assert {chunk.text for chunk in spoken} == {text}
    samples = sum(len(chunk.pcm) // 2 for chunk in spoken)
    assert samples == sum(len(call.text) for call in engine.calls) * SPOKEN_SAMPLE_RATE_HZ // 100


def test_a_part_that_fails_fails_the_sentence_and_the_rest_is_not_asked_for():
    engine = FakeTts(max_text_chars=20, failures=[EngineUnavailable("tts", "away")])
    delivery = FakeDelivery(translation(text="Uno dos tres. Cuatro cinco seis."))
    StageWorker(TtsStage(FakeEngines(tts_engine=engine)), FakeOutbox()).handle(delivery)
    assert delivery.outcome == "retried"
    assert len(engine.calls) == 1


def test_what_the_engine_remarks_on_is_told_once_with_the_last_chunk():
    engine = Remarking("", "spoken again", "cut at 3.1 s", "spoken again", max_text_chars=5)
    spoken = speak(translation(text="Uno. Dos. Dos. Ya."), engine)
    assert len(engine.calls) == 4
    assert [chunk.remarks for chunk in spoken[:-1]] == [()] * 4
    assert spoken[-1].remarks == ("spoken again", "cut at 3.1 s")


def test_an_engine_that_states_no_speed_is_asked_for_its_own():
    engine = FakeTts()
    assert {chunk.speed for chunk in speak(translation(text="a" * 500, end_ms=1001), engine)} == {1.0}
    assert engine.calls[0].speed == 1.0


def test_each_try_is_a_synthesis_of_its_own():
    first, second = (speak(translation(), FakeTts())[0].synthesis_id for _ in range(2))
    assert first != second


def test_an_engine_that_begins_anew_begins_a_synthesis_that_is_whole_by_itself():
    levels = [(0.1, False), (0.2, False), (0.3, True), (0.4, False)]
    pieces = [AudioChunk(np.full(240, level, np.float32), 24_000, restarts=restarts) for level, restarts in levels]
    spoken = speak(translation(), Scripted(*pieces))
    last = [chunk for chunk in spoken if chunk.synthesis_id == spoken[-1].synthesis_id]
    assert len({chunk.synthesis_id for chunk in spoken}) == 2
    assert [chunk.chunk_index for chunk in last] == list(range(len(last)))
    joined = pcm_to_float(b"".join(chunk.pcm for chunk in last))
    np.testing.assert_allclose(joined, np.repeat([0.3, 0.4], 240), atol=1e-4)
    assert last[-1].final


def test_parts_that_were_spoken_before_an_engine_begins_a_later_one_anew_are_kept():
    class Stumbling(FakeTts):
        def _stream(self, call):
            yield AudioChunk(np.full(240, 0.1 * len(self.calls), np.float32), 24_000)
            if len(self.calls) == 2:
                yield AudioChunk(np.full(240, 0.5, np.float32), 24_000, restarts=True)

    spoken = speak(translation(text="Uno. Dos. Ya."), Stumbling(max_text_chars=5))
    last = [chunk for chunk in spoken if chunk.synthesis_id == spoken[-1].synthesis_id]
    joined = pcm_to_float(b"".join(chunk.pcm for chunk in last))
    np.testing.assert_allclose(joined, np.repeat([0.1, 0.5, 0.3], 240), atol=1e-4)


@pytest.mark.parametrize("sample_rate_hz", [16_000, 22_050, 24_000, 48_000])
def test_chunks_join_without_clicks(sample_rate_hz):
    whole = (0.4 * np.sin(2 * np.pi * 220 * np.arange(sample_rate_hz) / sample_rate_hz)).astype(np.float32)
    pieces = [AudioChunk(piece, sample_rate_hz) for piece in np.array_split(whole, 7)]
    spoken = speak(translation(), Scripted(*pieces))
    joined = pcm_to_float(b"".join(chunk.pcm for chunk in spoken))
    at_once = soxr.resample(whole, sample_rate_hz, SPOKEN_SAMPLE_RATE_HZ)
    assert abs(len(joined) - SPOKEN_SAMPLE_RATE_HZ) <= 1
    np.testing.assert_allclose(joined, at_once, atol=1.01 / 32768)


def test_a_long_piece_is_sent_in_several_messages_and_loses_nothing():
    whole = np.linspace(-1, 1, 2 * MAX_CHUNK_SAMPLES + 5, dtype=np.float32)
    spoken = speak(translation(), Scripted(AudioChunk(whole, SPOKEN_SAMPLE_RATE_HZ)))
    assert [len(chunk.pcm) // 2 for chunk in spoken] == [MAX_CHUNK_SAMPLES, MAX_CHUNK_SAMPLES, 5, 0]
    assert b"".join(chunk.pcm for chunk in spoken) == float_to_pcm(whole)


def test_an_engine_that_changes_its_sample_rate_breaks_its_contract():
    samples = np.zeros(100, np.float32)
    engine = Scripted(AudioChunk(samples, 24_000), AudioChunk(samples, 16_000))
    delivery, outbox = FakeDelivery(translation(engines={"tts": "tts_odd"})), FakeOutbox()
    StageWorker(TtsStage(FakeEngines(tts_engine=engine)), outbox).handle(delivery)
    assert delivery.reason == "engine-contract-violation: tts_odd: sample rate changed from 24000 to 16000 Hz"


def test_a_stream_that_breaks_is_tried_again_as_another_synthesis():
    outbox = FakeOutbox()
    broken = FakeTts(chunk_s=0.1, fail_after_chunks=(2, EngineUnavailable("tts", "away")))
    delivery = FakeDelivery(translation())
    StageWorker(TtsStage(FakeEngines(tts_engine=broken)), outbox).handle(delivery)
    assert delivery.outcome == "retried"
    StageWorker(TtsStage(FakeEngines(tts_engine=FakeTts())), outbox).handle(FakeDelivery(translation(), attempt=2))
    tries = [list(g) for _, g in itertools.groupby(outbox.records(SPOKEN), lambda chunk: chunk.synthesis_id)]
    assert [any(chunk.final for chunk in chunks) for chunks in tries] == [False, True]


def test_when_nobody_listens_any_more_the_stream_is_cancelled():
    engine = FakeTts(chunk_s=0.05)
    delivery = FakeDelivery(translation())
    outbox = FakeOutbox({SPOKEN: [Unroutable("gone")]})
    StageWorker(TtsStage(FakeEngines(tts_engine=engine)), outbox).handle(delivery)
    assert delivery.outcome == "acked"
    assert engine.calls[0].closed_early
