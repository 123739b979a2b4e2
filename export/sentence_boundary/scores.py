"""How good the answers are: accuracy, precision, recall, whether a probability means what it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.sentence_boundary.examples import Example

GATE = 0.85
"""The orchestrator's default (`gate.threshold`). Paper: 0.85."""
BINS = 10

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Of one set of examples."""

    examples: int
    accuracy: float
    """At 0.5."""
    precision_at_gate: float
    """Of the texts that pass the gate, how many are complete; 0 when none passes."""
    recall_at_gate: float
    """Of the complete texts, how many pass the gate."""
    calibration_error: float
    """ECE: mean distance of the probability from the share of complete texts over BINS equal bins, by their size."""


def scores(complete: NDArray[np.bool_], answers: Array) -> Scores:
    """Score probabilities against the truth."""
    passed = answers >= GATE
    bins = reliability(complete, answers)
    off = sum(count * abs(mean - share) for count, mean, share in bins)
    return Scores(
        examples=len(complete),
        accuracy=_share(complete == (answers >= 0.5)),
        precision_at_gate=_share(complete[passed]),
        recall_at_gate=_share(passed[complete]),
        calibration_error=off / max(1, len(complete)),
    )


def reliability(complete: NDArray[np.bool_], answers: Array) -> list[tuple[int, float, float]]:
    """Return for each tenth of the probabilities: how many, their mean, the share that is complete."""
    bins = np.minimum((answers * BINS).astype(int), BINS - 1)
    found = [(int((bins == each).sum()), answers[bins == each], complete[bins == each]) for each in range(BINS)]
    return [(count, _share(probabilities), _share(truth)) for count, probabilities, truth in found]


def by(key: Callable[[Example], str], examples: Sequence[Example], answers: Array) -> dict[str, Scores]:
    """Score each part of the examples."""
    keys = np.array([key(example) for example in examples])
    complete = truth(examples)
    return {name: scores(complete[keys == name], answers[keys == name]) for name in sorted(set(keys.tolist()))}


def truth(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Return which are complete."""
    return np.array([example.complete for example in examples], np.bool_)


def _share(values: NDArray[np.bool_] | Array) -> float:
    return float(values.mean()) if len(values) else 0.0
