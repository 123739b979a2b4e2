"""How well a clip's own audio/video offset is found: clips shifted by known times, -400 to 400 ms.

Rendered talking faces (tests/offset_cases.py: mouths move by the arithmetic of lips_warp, so the figures say what the
method can do on mouths that follow their sound well; real mouths do so less), the same pictures with the sound of
another clip, and the sample with its own picture and the embedded detector.
"""

import dataclasses
import statistics
import threading

from deploy.triton.embedded import EmbeddedTriton
from orchestrator.engines import Engines
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.media.video import read_frames
from orchestrator.settings import Settings
from orchestrator.visual.loudness import SAMPLE_RATE_HZ
from orchestrator.visual.offset_pass import OffsetVerdict, SourceSync, measure_source_sync
from tests.benchmarks.results import record
from tests.offset_cases import Rendered, measured, rendered
from tests.talking_faces import CHECKOUT

SEEDS = range(4000, 4012)
SHIFTS_MS = (-400, -300, -200, -150, 150, 200, 300, 400)
SMALL_MS = (-40, 0, 40)
SAMPLE = CHECKOUT / "samples" / "astronaut_en.mp4"


def main() -> None:
    """Measure and record."""
    clips = [rendered(seed) for seed in SEEDS]
    figures = _known(clips) | _foreign(clips) | _sample()
    record({f"timing.av_offset.{name}": value for name, value in figures.items()})


def _known(clips: list[Rendered]) -> dict[str, float]:
    """Clips with their own sound: shifted ones must be corrected, and the others left alone."""
    late = [(shift, measured(clip, shift / 1000)) for clip in clips for shift in SHIFTS_MS]
    small = [measured(clip, shift / 1000) for clip in clips for shift in SMALL_MS]
    errors_ms = [abs(sync.corrected_s * 1000 - shift) for shift, sync in late if sync.corrected_s]
    return {
        "clips": len(late),
        "corrected_share": len(errors_ms) / len(late),
        "error_ms_p50": statistics.median(errors_ms),
        "error_ms_max": max(errors_ms),
        "unshifted_clips": len(small),
        "unshifted_corrected": sum(sync.verdict is OffsetVerdict.CORRECTED for sync in small),
        "pass_s_p50": statistics.median(sync.took_s for _, sync in late),
    }


def _foreign(clips: list[Rendered]) -> dict[str, float]:
    """Pictures with the sound of another clip: there is no offset to be found."""
    found = [measured(clip, sound=other.scene.sound) for clip in clips for other in clips if other is not clip]
    return {"foreign_clips": len(found), "foreign_corrected": sum(_wrong(sync) for sync in found)}


def _wrong(sync: SourceSync) -> bool:
    return sync.verdict is OffsetVerdict.CORRECTED


def _sample() -> dict[str, float]:
    """The sample as it is and shifted, through the embedded detector."""
    settings = Settings()
    with EmbeddedTriton([settings.engines.faces]) as triton:
        url = settings.triton.model_copy(update={"grpc_url": triton.grpc_url})
        engines = Engines(settings.model_copy(update={"triton": url}))
        own = _of_sample(engines, settings, 0)
        shifts = [(shift, _of_sample(engines, settings, shift)) for shift in SHIFTS_MS]
        engines.close()
    for shift, sync in [(0, own), *shifts]:
        print("sample", shift, sync, flush=True)
    return {
        "sample_ms": own.found.offset_s * 1000 if own.found else 0.0,
        "sample_correlation": own.found.correlation if own.found else 0.0,
        "sample_corrected": float(_wrong(own)),
        "sample_pass_s": own.took_s,
        "sample_shifted_corrected_share": sum(_wrong(sync) for _, sync in shifts) / len(shifts),
        "sample_shifted_error_ms_max": max(
            (abs(sync.corrected_s * 1000 - shift) for shift, sync in shifts if _wrong(sync)), default=0.0
        ),
    }


def _of_sample(engines: Engines, settings: Settings, late_ms: float) -> SourceSync:
    clip = probe(SAMPLE, settings.media)
    late = dataclasses.replace(clip, audio_offset_s=clip.audio_offset_s + late_ms / 1000)
    return measure_source_sync(
        read_frames(SAMPLE, clip), read_audio(SAMPLE, late, SAMPLE_RATE_HZ), clip, engines.faces(), settings,
        threading.Event(), lambda: None,
    )  # fmt: skip


if __name__ == "__main__":
    main()
