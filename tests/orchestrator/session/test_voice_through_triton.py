"""A cloning engine in a real Triton, whose pitch follows from the very bytes of the reference it is given."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from client.triton import TritonConnection, TritonTts
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.pcm import pcm_to_float
from orchestrator.session.report import build_report, segment_entries
from orchestrator.settings import Settings, SoundSettings
from tests.fakes.dubbing import three_sentences
from tests.fakes.engines import FakeMt, FakeStt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.killed_servers import serving

pytestmark = pytest.mark.triton

REPOSITORY = Path(__file__).parents[2] / "testdata" / "model_repository"
RATE_HZ = 16_000


@dataclass
class ClonedEngines(FakeEngines):
    """The TTS engine is a real one."""

    real: TritonTts | None = None

    def tts(self, model: str = "") -> TritonTts:
        assert self.real is not None
        return self.real


@pytest.fixture
def tts(tmp_path_factory) -> Iterator[TritonTts]:
    with (
        serving(("tts_moods",), repository=REPOSITORY, run_dir=tmp_path_factory.mktemp("triton")) as server,
        TritonConnection(server.grpc_url, control_timeout_s=10) as connection,
    ):
        yield TritonTts(connection, "tts_moods", timeout_s=20)


def loudest_hz(path: Path, start_ms: int, end_ms: int) -> float:
    sound = np.concatenate(list(read_audio(path, probe(path, Settings().media), RATE_HZ)))
    part = sound[start_ms * RATE_HZ // 1000 : end_ms * RATE_HZ // 1000]
    return float(np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * RATE_HZ / len(part))


def test_every_sentence_of_the_result_is_heard_in_the_voice_of_the_one_reference(tts, tmp_path):
    engines = ClonedEngines(
        stt_engine=FakeStt("One.", "Two.", "Three."),
        mt_engine=FakeMt(dict.fromkeys(("One.", "Two.", "Three."), "clone")),
        real=tts,
    )
    settings = Settings().model_copy(update={"sound": SoundSettings(background="off")})
    with fake_pipeline(settings, engines) as pipeline:
        session = pipeline.session(three_sentences(tmp_path / "clip.mp4"))
        assert session.run(tmp_path / "result.mp4")
    _, reference = session.speech.voice.report()
    assert reference is not None
    entries = segment_entries(session)
    assert len(entries) == 3
    assert {entry.voice for entry in entries} == {build_report(session, spoken=True).voice.reference}
    expected_hz = 200 + 10 * (zlib.crc32(pcm_to_float(reference.pcm).tobytes()) % 64)
    for entry in entries:
        assert loudest_hz(tmp_path / "result.mp4", entry.dub_start_ms, entry.dub_end_ms) == pytest.approx(
            expected_hz, abs=3
        )
