import threading
import time

import numpy as np
import pytest

from client.contracts import TtsEngine
from client.errors import ContractViolation, EngineError, EngineFault, EngineRefused, EngineTimeout
from client.repository import ModelRepository
from client.triton import TritonTts
from tests.waiting import eventually

pytestmark = pytest.mark.triton


@pytest.fixture
def tts(connection) -> TtsEngine:
    return TritonTts(connection, "tts_moods", timeout_s=20)


def cancelled_streams(tts: TtsEngine, number: int) -> int:
    """How many streams of "endless <number>" the model saw cancelled: the length of its answer, less one."""
    [chunk] = tts.speak(f"cancelled {number}", "en")
    return chunk.samples.size - 1


def test_chunks_come_in_order_and_whole(tts):
    chunks = list(tts.speak("count 3", "en"))

    assert [chunk.sample_rate_hz for chunk in chunks] == [24_000] * 3
    for index, chunk in enumerate(chunks):
        np.testing.assert_allclose(chunk.samples, np.full(100, (index + 1) / 100), rtol=1e-6)


def test_a_chunk_is_handed_over_before_the_stream_ends(tts):
    stream = tts.speak("endless", "en")
    assert next(stream).samples.size == 100
    assert next(stream).samples.size == 100
    stream.close()


def test_closing_early_cancels_the_work_and_leaves_no_thread(tts):
    threads = set(threading.enumerate())

    streams = [tts.speak("endless 5", "en") for _ in range(5)]
    for stream in streams:
        next(stream)
    for stream in streams:
        stream.close()

    eventually(lambda: cancelled_streams(tts, 5) == 5, 20, "five cancelled streams")
    # grpc's own thread of the channel ends with its last call
    eventually(lambda: set(threading.enumerate()) <= threads, 20, "the end of the streams' threads")


def test_an_unread_stream_does_not_flood_the_caller(tts):
    """What is not read stays on the server's side of gRPC's flow control, and closing needs no draining."""
    stream = tts.speak("endless", "en")
    next(stream)
    time.sleep(0.1)
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 1


def test_the_deadline_covers_the_whole_stream(connection, tts):
    with pytest.raises(EngineTimeout):
        list(TritonTts(connection, "tts_moods", timeout_s=0.3).speak("endless 6", "en"))

    eventually(lambda: cancelled_streams(tts, 6) == 1, 20, "the end of the work")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("refuse", EngineRefused, "nothing to say"),
        ("fail 0", EngineFault, "lost my voice"),
        ("nan", ContractViolation, "AUDIO holds NaN"),
        ("loud", ContractViolation, "beyond full scale"),
        ("empty", ContractViolation, "AUDIO is empty"),
        ("rate", ContractViolation, "SAMPLE_RATE_HZ is 1"),
        ("rates 1", ContractViolation, "SAMPLE_RATE_HZ changed"),
        ("silent", ContractViolation, "spoke nothing"),
    ],
)
def test_what_goes_wrong_is_told_apart(tts, text, kind, words):
    with pytest.raises(kind, match=words) as caught:
        list(tts.speak(text, "en"))
    assert type(caught.value) is kind


def test_chunks_before_a_failure_are_delivered(tts):
    stream = tts.speak("fail 2", "en")

    assert [next(stream).samples.size for _ in range(2)] == [100, 100]
    with pytest.raises(EngineFault, match="lost my voice"):
        next(stream)


def test_the_speakers_voice_arrives_unchanged(tts):
    voice = np.linspace(-1, 1, 500, dtype=np.float32)

    [chunk] = tts.speak("speaker", "en", voice)
    np.testing.assert_array_equal(chunk.samples, voice)


def test_a_voice_of_the_wrong_kind_never_leaves(tts):
    with pytest.raises(ValueError, match="speaker_audio"):
        tts.speak("count 1", "en", np.zeros(10, np.int16))


@pytest.mark.parametrize(
    ("text", "remarks"), [("remark 1", ["", "spoken again: señal"]), ("content 1", ["", ""]), ("count 2", ["", ""])]
)
def test_what_an_engine_remarks_on_comes_with_the_chunk_and_none_has_to(tts, text, remarks):
    assert [chunk.remark for chunk in tts.speak(text, "en")] == remarks


def test_an_engine_may_begin_anew_and_says_with_which_chunk(tts):
    assert [chunk.restarts for chunk in tts.speak("restart 2", "en")] == [False, False, True]


def test_what_the_config_states_of_voices_and_texts_is_read(tts):
    assert tts.clones_voice()
    assert tts.max_text_chars() == 40


def test_languages_come_from_the_config(tts):
    assert tts.languages() == ("en", "es")


def test_a_model_that_dies_mid_stream_is_an_error_and_speaks_again_once_reloaded(connection, tts):
    dying = TritonTts(connection, "tts_moods", timeout_s=2).speak("die 1", "en")
    assert next(dying).samples.size == 100
    with pytest.raises(EngineError) as caught:
        next(dying)
    assert caught.value.retryable

    with pytest.raises(EngineFault, match="not healthy"):
        list(tts.speak("count 1", "en"))

    repository = ModelRepository(connection)
    repository.unload("tts_moods")
    deadline = time.monotonic() + 10
    while any(status.ready for status in repository.statuses() if status.name == "tts_moods"):
        assert time.monotonic() < deadline
    repository.load("tts_moods")
    assert len(list(tts.speak("count 2", "en"))) == 2
