"""stt_whisper with random weights in the embedded Triton: what its contract promises, and what the references hear."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from client.connection import TritonConnection
from client.errors import EngineRefused
from client.repository import ModelRepository
from client.stt import TritonStt
from deploy.triton.embedded import EmbeddedTriton
from export.whisper.family import FAMILY
from orchestrator.pcm import float_to_pcm
from orchestrator.workers.base import StageWorker
from orchestrator.workers.stt import SttStage
from tests.fakes.broker import FakeDelivery, FakeOutbox
from tests.fakes.pipeline import FakeEngines
from tests.fakes.records import TRANSCRIPTS, speech_chunk
from tests.fakes.sounds import NOT_SPEECH
from tests.served_whisper import ENGINE, serve_whisper

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
whisper = pytest.importorskip("whisper")

pytestmark = pytest.mark.triton

RATE_HZ = 16_000
WINDOW = 10 * RATE_HZ
"""What the reduced network hears at once."""
SEED = 3
Say = Callable[[str], NDArray[np.float32]]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    FAMILY.synth(folder / "folder", SEED, "reduced")
    FAMILY.synth(folder / "file.pt", SEED, "reduced")
    return folder


@pytest.fixture(scope="session")
def served(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """One temperature: random weights never believe themselves, and other temperatures draw lots."""
    folder = tmp_path_factory.mktemp("served-whisper")
    with serve_whisper(checkpoint / "folder", folder, {"temperatures": "0", "max_audio_s": "60"}) as server:
        server.repository = folder / "models"  # type: ignore[attr-defined]
        yield server


@pytest.fixture(scope="session")
def connection(served: EmbeddedTriton) -> Iterator[TritonConnection]:
    with TritonConnection(served.grpc_url, control_timeout_s=30.0) as connection:
        yield connection


@pytest.fixture(scope="session")
def stt(connection: TritonConnection) -> TritonStt:
    return TritonStt(connection, ENGINE, timeout_s=60)


@pytest.fixture(scope="session")
def speech(say: Say) -> NDArray[np.float32]:
    sentences = ("The committee will meet on Thursday to discuss the budget for the coming year.", "We have time.")
    return np.concatenate([say(sentence) for sentence in (*sentences, *sentences)])


@pytest.fixture(scope="session")
def recordings(speech: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], str]]:
    lengths_and_languages = [(1.5, "en"), (2.2, "es"), (3.0, "de"), (7.5, "en"), (10.0, "it")]
    return [(speech[: round(seconds * RATE_HZ)], language) for seconds, language in lengths_and_languages]


@pytest.fixture(scope="session")
def openai(checkpoint: Path) -> Any:
    return whisper.load_model(str(checkpoint / "file.pt"), device="cpu")


def openai_mel(audio: NDArray[np.float32]) -> Any:
    return whisper.log_mel_spectrogram(whisper.pad_or_trim(audio, WINDOW), 80)


def test_it_hears_what_openai_whisper_hears(stt, openai, recordings) -> None:
    for audio, language in recordings:
        theirs = openai.decode(
            openai_mel(audio), whisper.DecodingOptions(language=language, without_timestamps=True, fp16=False)
        )
        ours = stt.transcribe(audio, language)
        assert theirs.text, "a comparison of empty texts says nothing"
        assert ours.text == theirs.text
        assert ours.mean_logprob == pytest.approx(theirs.avg_logprob, abs=2e-3)
        assert ours.no_speech_probability == pytest.approx(theirs.no_speech_prob, rel=1e-2)


def test_it_hears_what_transformers_hears(stt, checkpoint, recordings) -> None:
    """Its `generate` cuts texts at timestamps, which random weights write although they are told not to: left out."""
    model = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint / "folder").eval()
    tokenizer = transformers.WhisperTokenizer.from_pretrained(checkpoint / "folder")
    first_timestamp = model.generation_config.no_timestamps_token_id + 1
    compared = 0
    for audio, language in recordings[:4]:
        features = openai_mel(audio)[None]
        mask = torch.ones(features.shape[::2], dtype=torch.long)
        with torch.no_grad():
            [tokens] = model.generate(features, attention_mask=mask, language=language, max_new_tokens=224).tolist()
        if max(tokens) < first_timestamp:
            assert stt.transcribe(audio, language).text == tokenizer.decode(tokens, skip_special_tokens=True).strip()
            compared += 1
    assert compared >= 3


def test_it_detects_the_language_as_openai_whisper_does(stt, openai, recordings) -> None:
    for audio, _ in recordings:
        _, probabilities = openai.detect_language(openai_mel(audio))
        assert stt.transcribe(audio).language == max(probabilities, key=probabilities.get)
        likelier = max(("en", "es"), key=probabilities.get)
        assert stt.transcribe(audio, "en es").language == likelier


def test_requests_side_by_side_hear_what_they_hear_alone(stt, recordings) -> None:
    alone = [stt.transcribe(audio, language) for audio, language in recordings]
    with ThreadPoolExecutor(len(recordings)) as pool:
        together = list(pool.map(lambda pair: stt.transcribe(*pair), recordings))
    assert [each.text for each in together] == [each.text for each in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.mean_logprob == pytest.approx(other.mean_logprob, abs=1e-3)


def test_a_refused_request_leaves_its_neighbours_alone(stt, recordings) -> None:
    audio, language = recordings[0]
    expected = stt.transcribe(audio, language).text
    spoiled = audio.copy()
    spoiled[100] = np.nan
    bad = [
        (np.zeros(0, np.float32), "en", "AUDIO is empty"),
        (spoiled, "en", "AUDIO holds NaN"),
        (audio * 30_000, "en", "AUDIO must lie in -1..1"),
        (audio, "tlh", "LANGUAGE 'tlh' is not served; there are: af am ar"),
        (np.zeros(61 * RATE_HZ, np.float32), "en", "AUDIO lasts 61.00 s, at most 60 s"),
    ]

    def ask(work: tuple[NDArray[np.float32], str, str]) -> str:
        try:
            return stt.transcribe(*work[:2]).text
        except EngineRefused as refused:
            return str(refused)

    good = (audio, language, "")
    with ThreadPoolExecutor(2 * len(bad)) as pool:
        heard = list(pool.map(ask, [each for pair in zip(bad, [good] * len(bad), strict=True) for each in pair]))
    assert heard[1::2] == [expected] * len(bad)
    for said, (_, _, reason) in zip(heard[::2], bad, strict=True):
        assert reason in said


def test_a_minute_in_one_request_is_heard_from_end_to_end(stt, speech) -> None:
    minute = np.tile(speech, 6)[: 60 * RATE_HZ]
    heard = stt.transcribe(minute, "en")
    last = stt.transcribe(minute[-WINDOW:], "en")
    assert len(heard.text) > 3 * len(last.text)
    assert heard.mean_logprob < 0


@pytest.mark.parametrize("name", sorted(NOT_SPEECH))
def test_no_text_is_invented_for_silence_music_or_noise(stt, name) -> None:
    heard = stt.transcribe(NOT_SPEECH[name](4 * RATE_HZ))
    assert (heard.text, heard.language, heard.no_speech_probability, heard.mean_logprob) == ("", "", 1.0, 0.0)


def test_the_stage_worker_hears_by_it_what_a_session_without_a_language_asks(stt, speech) -> None:
    outbox = FakeOutbox()
    worker = StageWorker(SttStage(FakeEngines(stt_engine=stt)), outbox)
    for samples in (speech[: 3 * RATE_HZ], np.zeros(3 * RATE_HZ, np.float32)):
        worker.handle(FakeDelivery(speech_chunk(pcm=float_to_pcm(samples), source_language="es en")))
    heard, silent = outbox.records(TRANSCRIPTS)
    assert heard.text and heard.language in ("en", "es")
    assert (silent.text, silent.language, silent.no_speech_probability) == ("", "", 1.0)


def test_the_languages_are_those_of_the_version_that_serves(served, connection, tmp_path) -> None:
    """A checkpoint of two languages, version 2 of a running server, is asked anew; and so is the first again."""
    assert len(connection.config_with_languages(ENGINE).languages()) == 99
    first, second = (served.repository / ENGINE / number for number in "12")
    shutil.copytree(first, tmp_path / "2")
    settings = json.loads((first / "generation.json").read_text())
    known = settings["whisper"]["languages"]
    settings["whisper"]["languages"] = {code: known[code] for code in ("en", "es")}
    (tmp_path / "2" / "generation.json").write_text(json.dumps(settings))
    (tmp_path / "2").rename(second)
    models = ModelRepository(connection)
    try:
        models.load(ENGINE)
        assert connection.config_with_languages(ENGINE).languages() == ("en", "es")
        with pytest.raises(EngineRefused, match=r"there are: en es$"):
            TritonStt(connection, ENGINE, timeout_s=60).transcribe(np.zeros(RATE_HZ, np.float32), "fr")
    finally:
        second.rename(tmp_path / "taken-back")
        models.load(ENGINE)
    assert len(connection.config_with_languages(ENGINE).languages()) == 99
