"""What the stages cost, as measured, and where each figure comes from. All on cores of an AMD EPYC with AVX-512 bf16.

A cost is processor time: seconds that one core is busy. Where a figure was taken with a program that uses both cores of
the machine, it is twice the time on the clock.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

CORES_OF_THE_MEASUREMENTS = 2


@dataclass(frozen=True)
class Costs:
    """One set of engines."""

    name: str
    stt_s_per_chunk: float
    stt_s_per_audio_s: float
    mt_s_per_sentence: float
    tts_s_per_sentence: float
    faces_s_per_detection: float
    lips_s_per_crop: float
    decode_encode_s_per_frame: float
    """In the owner's process."""
    instances: dict[str, int]
    """Stage -> calls that one Triton pod works on at once, by its model's instance group; a stage that is not listed is
    bounded by the pod's cores alone."""
    on_gpu: frozenset[str] = frozenset()
    """Stages whose cost is time of the GPU, of which a pod has one."""


EMBEDDED = Costs(
    # report.json of `make demo` (sample clip: 8.88 s, 222 frames, 3 sentences), stages.<name>.compute_s over items.
    # Sound and picture shared two cores, so this is processor time (8.85 s in all, of 2 x 4.24 s).
    name="embedded",
    stt_s_per_chunk=0.0,
    stt_s_per_audio_s=1.931 / 8.88,
    mt_s_per_sentence=0.039 / 3,
    tts_s_per_sentence=0.169 / 3,
    faces_s_per_detection=2.875 / 46,
    lips_s_per_crop=2.829 / 162,
    decode_encode_s_per_frame=(0.205 + 0.804) / 222,
    instances={"stt": 1, "mt": 1, "tts": 4, "lips": 1},  # model_repository/*/config.pbtxt
)
NEURAL_CPU = replace(
    EMBEDDED,
    name="neural, CPU",
    # docs/SPEECH.md: whisper-small, int8: encoder of a whole window, 14.4 ms a token; four tokens a second of speech.
    stt_s_per_chunk=1.26,
    stt_s_per_audio_s=4 * 0.0144,
    # docs/FACES.md: S3FD, bf16, 341x192, through Triton: 55 ms on two cores.
    faces_s_per_detection=0.055 * CORES_OF_THE_MEASUREMENTS,
    # docs/LIPS.md: Wav2Lip, bf16, four sessions through Triton: 93 crops/s on two cores.
    lips_s_per_crop=CORES_OF_THE_MEASUREMENTS / 93,
    instances={"mt": 1, "tts": 4},  # Whisper, S3FD and Wav2Lip use all cores of the pod
)


@dataclass(frozen=True)
class Broker:
    """Seconds of one RabbitMQ node (it shared two cores) a confirmed message: `make bench ONLY=queues`."""

    large_s: float = 1 / 622
    """results.json, "queues.rabbitmq.work queue, chunk_10s_320kB.messages_per_s_8_threads"."""
    small_s: float = 1 / 3609
    """results.json, "queues.rabbitmq.reply queue, text_2kB.messages_per_s_8_threads"."""


def with_gpu(measured: Path, batch: int = 8) -> Costs:
    """Return the neural engines with the picture's networks on a GPU, by what `bench_gpu` wrote there.

    Of each network the fastest variant at that batch size counts.

    Raises:
        ValueError: the file has no figure of a network at that batch size.
    """
    rows = json.loads(measured.read_text(encoding="utf-8"))["results"]

    def item_s(network: str) -> float:
        times = [
            row["mean_ms"] for row in rows if (row["network"], row["batch"]) == (network, batch) and "mean_ms" in row
        ]
        if not times:
            raise ValueError(f"{measured} has no figure of {network} at batch {batch}")
        return float(min(times)) / batch / 1000

    return gpu_costs(item_s("s3fd"), item_s("wav2lip"))


def gpu_costs(detection_s: float, crop_s: float) -> Costs:
    """Return the neural engines with the picture's networks on a GPU that takes so long for one frame and one crop."""
    return replace(
        NEURAL_CPU,
        name="neural, GPU",
        faces_s_per_detection=detection_s,
        lips_s_per_crop=crop_s,
        on_gpu=frozenset({"faces", "lips"}),
    )
