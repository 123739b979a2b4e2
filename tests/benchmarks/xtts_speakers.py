"""Who speaks in the benchmark of XTTS-v2: the served engine, and coqui-tts in this process. All say as many codes."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from client.tts import TritonTts
from export.xtts.published import WEIGHTS, read_weights
from export.xtts.reference import Reference
from tests.benchmarks.xtts_models import Models

LANGUAGE = "en"
CHUNK_CODES = 20
"""Both engines' default."""
COQUI_RATE_HZ = 24_000


@dataclass(frozen=True)
class Spoken:
    """One text, spoken."""

    first_s: float
    """Until the first sound."""
    total_s: float
    samples: np.ndarray
    rate_hz: int

    @property
    def speech_s(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz

    @property
    def rtf(self) -> float:
        """Seconds of work for a second of speech."""
        return self.total_s / self.speech_s


def speak(engine: TritonTts, text: str, speaker: np.ndarray) -> Spoken:
    """Let the served engine speak."""
    begin = time.perf_counter()
    first_s, parts, rate_hz = 0.0, [], 0
    for chunk in engine.speak(text, LANGUAGE, speaker):
        first_s = first_s or time.perf_counter() - begin
        assert not chunk.restarts and not chunk.remark, chunk.remark
        parts.append(chunk.samples)
        rate_hz = chunk.sample_rate_hz
    return Spoken(first_s, time.perf_counter() - begin, np.concatenate(parts), rate_hz)


def speak_together(
    engine: TritonTts, texts: Sequence[str], speakers: Sequence[np.ndarray]
) -> tuple[float, list[Spoken]]:
    """Let as many clients as there are texts begin at the same moment; return the seconds until the last is done."""
    ready = threading.Barrier(len(texts) + 1)

    def client(text: str, speaker: np.ndarray) -> Spoken:
        ready.wait()
        return speak(engine, text, speaker)

    with ThreadPoolExecutor(len(texts)) as pool:
        clients = [pool.submit(client, text, speaker) for text, speaker in zip(texts, speakers, strict=True)]
        ready.wait()
        begin = time.perf_counter()
        spoken = [client.result() for client in clients]
        return time.perf_counter() - begin, spoken


class Coqui:
    """The original with the same weights, its speaker known already."""

    def __init__(self, models: Models, codes: int) -> None:
        self.reference = Reference(models.checkpoint, read_weights(models.checkpoint / WEIGHTS))
        self._codes = codes
        self._latents, self._embedding = torch.empty(0), torch.empty(0)

    def listen(self, speaker: np.ndarray) -> float:
        """Learn a voice; return the seconds."""
        begin = time.perf_counter()
        latents, embedding = self.reference.latents_of(speaker), self.reference.embedding_of(speaker)
        taken_s = time.perf_counter() - begin
        self._latents = torch.from_numpy(latents)[None]
        self._embedding = torch.from_numpy(embedding)[None, :, None]
        return taken_s

    @contextmanager
    def codes(self, codes: int) -> Iterator[None]:
        """Say so many codes instead, as long as this lasts."""
        usual, self._codes = self._codes, codes
        try:
            yield
        finally:
            self._codes = usual

    def inference(self, text: str) -> Spoken:
        """Speak in one go."""
        with self.reference.exactly(self._codes) as settings:
            begin = time.perf_counter()
            found = self.reference.model.inference(text, LANGUAGE, self._latents, self._embedding, **settings)
            taken_s = time.perf_counter() - begin
        return Spoken(taken_s, taken_s, found["wav"], COQUI_RATE_HZ)

    def inference_stream(self, text: str) -> Spoken:
        """Speak in chunks."""
        with self.reference.exactly(self._codes) as settings:
            begin = time.perf_counter()
            first_s, parts = 0.0, []
            for chunk in self._stream(text, settings):
                first_s = first_s or time.perf_counter() - begin
                parts.append(chunk)
            return Spoken(first_s, time.perf_counter() - begin, np.concatenate(parts), COQUI_RATE_HZ)

    def _stream(self, text: str, settings: dict[str, object]) -> Iterator[np.ndarray]:
        model = self.reference.model
        for chunk in model.inference_stream(
            text, LANGUAGE, self._latents, self._embedding, stream_chunk_size=CHUNK_CODES, **settings
        ):
            yield chunk.numpy()


def memory_mb(pid: int) -> float:
    """Memory of a server and its stubs; what they share counts once."""
    server = psutil.Process(pid)
    return sum(process.memory_full_info().pss for process in (server, *server.children(recursive=True))) / 2**20
