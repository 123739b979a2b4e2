"""How often the one who speaks is chosen of two faces, the other one being larger.

Clips of 8 s, rendered from the sample's portrait and flite's voices (tests/speaker_cases.py): sides, sizes, texts,
voices, sway of the heads and noise follow from a seed. Mouths move by the arithmetic of lips_warp, so the figures say
what the method can do on mouths that follow their sound well; real mouths do so less.
"""

import statistics

from orchestrator.settings import Settings, VisualSettings
from tests.benchmarks.results import record
from tests.speaker_cases import Outcome, random_scene, watch

SEEDS = range(1000, 1012)
KINDS = ("other", "still", "change", "off")


def main() -> None:
    """Measure and record."""
    figures: dict[str, float] = {}
    for kind in KINDS:
        outcomes = [watch(random_scene(kind, seed), seed=seed) for seed in SEEDS]
        shares = [_believed_nobody(one) if kind == "off" else one.accuracy for one in outcomes]
        print(kind, " ".join(f"{share:.2f}" for share in shares), flush=True)
        figures[f"lips.speaker.{kind}"] = statistics.mean(shares)
        figures[f"lips.speaker.{kind}_worst"] = min(shares)
    largest = Settings(visual=VisualSettings(speaker_look_ahead_s=0))
    figures["lips.speaker.other_by_size"] = statistics.mean(
        watch(random_scene("other", seed), largest, seed=seed).accuracy for seed in SEEDS
    )
    record(figures)


def _believed_nobody(outcome: Outcome) -> float:
    """Share of the frames with speech in which no face was taken for the speaker."""
    speech = [by for by, loud in zip(outcome.by, outcome.speech, strict=True) if loud]
    return sum(by != "speaker" for by in speech) / len(speech)


if __name__ == "__main__":
    main()
