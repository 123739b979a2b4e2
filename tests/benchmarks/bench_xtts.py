"""XTTS-v2 at full size (random weights) in int8 through Triton's gRPC, against coqui-tts in the same run.

Same weights, texts, speaker (known to both) and number of codes (about 4.6 s of speech), sampled as published; PyTorch
in fp32, both on all cores. Contenders take turns, so that whatever else the machine does falls on everybody alike; a
speed-up is the median of the rounds' own ratios, each of seconds of work for a second of speech.

    python -m tests.benchmarks --only xtts
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from client.connection import TritonConnection
from client.tts import TritonTts
from deploy.triton.embedded import EmbeddedTriton
from export.xtts.drawn import draw_sound
from tests.benchmarks.results import record
from tests.benchmarks.xtts_models import MODEL, Models, make_models
from tests.benchmarks.xtts_picture import draw_picture
from tests.benchmarks.xtts_speakers import CHUNK_CODES, Coqui, Spoken, memory_mb, speak, speak_together

ROUNDS = 5
CODES = 100
CLIENTS = 4
TOGETHER_ROUNDS = 3
VOICES = 3
"""Strangers, for what a new voice costs."""
SPEAKER_S = 6.0
TIMEOUT_S = 300.0
ONE_SHOT_CODES = 600
"""A chunk of so many is the whole text."""
PICTURE = Path("out/bench/xtts_stream.png")
TEXTS = (
    "The committee decided yesterday that the old bridge would have to be closed until next spring.",
    "Our neighbours bought a small house near the forest because their children wanted two dogs.",
    "Nobody in the office had expected that the new software would be finished two weeks early.",
    "When the train finally arrived at the station, most of the passengers had already gone home.",
)


@dataclass
class Measured:
    """All rounds."""

    ours: list[Spoken] = field(default_factory=list)
    whole: list[Spoken] = field(default_factory=list)
    """coqui-tts, inference()."""
    stream: list[Spoken] = field(default_factory=list)
    """coqui-tts, inference_stream()."""
    new_voice_s: list[float] = field(default_factory=list)
    """What an unknown speaker costs, first sound against first sound."""
    their_voice_s: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    """Seconds of speech a second, one client."""
    together: list[float] = field(default_factory=list)
    """The same of CLIENTS at once."""
    together_first_s: list[float] = field(default_factory=list)
    memory_mb: float = 0.0
    """Of the server and its stub, one client served."""
    busy_memory_mb: float = 0.0
    """After CLIENTS at once."""
    difference: float = 0.0
    """Greatest, streamed against one-shot."""


def main() -> None:
    """Measure, print, record."""
    begin = time.perf_counter()
    models = make_models()
    print(f"models ready after {time.perf_counter() - begin:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="polylip-bench-") as folder:
        measured = measure(models, Path(folder))
    show(measured)
    record(figures(measured))


def measure(models: Models, folder: Path) -> Measured:
    """Race, then let several clients speak at once, then compare streamed sound with sound made at once."""
    measured, rng = Measured(), np.random.default_rng(0)
    speaker = draw_sound(rng, SPEAKER_S)
    with _served(models, folder / "streaming", {"force_codes": str(CODES)}) as (server, engine):
        coqui = Coqui(models, CODES)
        _race(engine, coqui, speaker, measured)
        for _ in range(VOICES):
            _hear(engine, coqui, draw_sound(rng, SPEAKER_S), measured)
        del coqui
        measured.memory_mb = memory_mb(server.pid)
        _at_once(engine, speaker, measured)
        measured.busy_memory_mb = memory_mb(server.pid)
        streamed = speak(engine, TEXTS[0], speaker)
    at_once = {"force_codes": str(CODES), "chunk_codes": str(ONE_SHOT_CODES)}
    with _served(models, folder / "one-shot", at_once) as (_, engine):
        one_shot = speak(engine, TEXTS[0], speaker)
    measured.difference = draw_picture(streamed, one_shot, PICTURE)
    return measured


@contextmanager
def _served(models: Models, folder: Path, parameters: Mapping[str, str]) -> Iterator[tuple[EmbeddedTriton, TritonTts]]:
    repository = models.repository(folder, parameters)
    with EmbeddedTriton([MODEL], repository=repository, run_dir=folder / "run", ready_timeout_s=TIMEOUT_S) as server:
        connection = TritonConnection(server.grpc_url, control_timeout_s=30.0)
        try:
            yield server, TritonTts(connection, MODEL, timeout_s=TIMEOUT_S)
        finally:
            connection.close()


def _race(engine: TritonTts, coqui: Coqui, speaker: np.ndarray, measured: Measured) -> None:
    """Take turns; what a first, short round gives is dropped."""
    coqui.listen(speaker)
    speak(engine, TEXTS[0], speaker)
    with coqui.codes(CHUNK_CODES):
        coqui.inference_stream(TEXTS[0])
    for turn in range(ROUNDS):
        text = TEXTS[turn % len(TEXTS)]
        measured.ours.append(speak(engine, text, speaker))
        measured.whole.append(coqui.inference(text))
        measured.stream.append(coqui.inference_stream(text))
        print(f"round {turn + 1} of {ROUNDS}", flush=True)


def _hear(engine: TritonTts, coqui: Coqui, stranger: np.ndarray, measured: Measured) -> None:
    """Say the same twice: only the first time the voice is new."""
    new, known = (speak(engine, TEXTS[0], stranger).first_s for _ in range(2))
    measured.new_voice_s.append(new - known)
    measured.their_voice_s.append(coqui.listen(stranger))


def _at_once(engine: TritonTts, speaker: np.ndarray, measured: Measured) -> None:
    """Let one client speak, then several, as often as there are rounds of it."""
    for _ in range(TOGETHER_ROUNDS):
        for clients, rates in ((1, measured.alone), (CLIENTS, measured.together)):
            taken_s, spoken = speak_together(engine, TEXTS[:clients], [speaker] * clients)
            rates.append(sum(each.speech_s for each in spoken) / taken_s)
        measured.together_first_s += [each.first_s for each in spoken]


def figures(measured: Measured) -> dict[str, float]:
    """Flat, for the results file."""
    ours, whole, stream = measured.ours, measured.whole, measured.stream
    return {
        "tts.speedup_vs_coqui": _ratio([each.rtf for each in whole], [each.rtf for each in ours]),
        "tts.speedup_vs_coqui_stream": _ratio([each.rtf for each in stream], [each.rtf for each in ours]),
        "tts.first_chunk_vs_coqui": _ratio([each.first_s for each in ours], [each.first_s for each in stream]),
        "tts.rtf": statistics.median(each.rtf for each in ours),
        "tts.coqui_rtf": statistics.median(each.rtf for each in whole),
        "tts.coqui_stream_rtf": statistics.median(each.rtf for each in stream),
        "tts.first_chunk_s": statistics.median(each.first_s for each in ours),
        "tts.coqui_first_chunk_s": statistics.median(each.first_s for each in stream),
        "tts.speech_s": statistics.median(each.speech_s for each in ours),
        "tts.coqui_speech_s": statistics.median(each.speech_s for each in whole),
        f"tts.concurrent{CLIENTS}_throughput": _ratio(measured.together, measured.alone),
        f"tts.concurrent{CLIENTS}_speech_per_s": statistics.median(measured.together),
        f"tts.concurrent{CLIENTS}_first_chunk_s": statistics.median(measured.together_first_s),
        "tts.latents_s": statistics.median(measured.new_voice_s),
        "tts.coqui_latents_s": statistics.median(measured.their_voice_s),
        "tts.server_rss_mb": measured.memory_mb,
        f"tts.concurrent{CLIENTS}_server_rss_mb": measured.busy_memory_mb,
        "tts.stream_difference": measured.difference,
    }


def _ratio(over: list[float], under: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(over, under, strict=True))


def show(measured: Measured) -> None:
    """Print."""
    table = Table("", "s a second of speech", "first sound, s", "speech, s", title=f"{CODES} codes, medians")
    for name, spoken in (
        ("tts_xtts through Triton, int8", measured.ours),
        ("coqui-tts inference()", measured.whole),
        (f"coqui-tts inference_stream(), {CHUNK_CODES} codes a chunk", measured.stream),
    ):
        rows = [(each.rtf, each.first_s, each.speech_s) for each in spoken]
        table.add_row(name, *(f"{statistics.median(column):.2f}" for column in zip(*rows, strict=True)))
    Console().print(table)
    print(f"streamed against one-shot: at most {measured.difference:.2g} of full scale apart, see {PICTURE}")


if __name__ == "__main__":
    main()
