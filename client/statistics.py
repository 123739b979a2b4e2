"""What Triton counted of a model: how requests were merged, how long they waited and how long they computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelStatistics:
    """Sums since the model was loaded, over all its versions; a difference of two is what happened in between."""

    requests: int
    """Answered with success."""
    items: int
    """Batch items in them."""
    runs: int
    """Executions; fewer than requests when requests were merged."""
    queue_s: float
    """Waiting for an instance, summed over requests."""
    compute_s: float
    """In the model (input, run and output), summed over requests: all of a merged run count its time."""
    batch_runs: Mapping[int, int]
    """Runs by batch size."""

    def __sub__(self, earlier: "ModelStatistics") -> "ModelStatistics":
        """Return what was added since `earlier`."""
        batches = {size: runs - earlier.batch_runs.get(size, 0) for size, runs in self.batch_runs.items()}
        return ModelStatistics(
            requests=self.requests - earlier.requests,
            items=self.items - earlier.items,
            runs=self.runs - earlier.runs,
            queue_s=self.queue_s - earlier.queue_s,
            compute_s=self.compute_s - earlier.compute_s,
            batch_runs={size: runs for size, runs in batches.items() if runs},
        )


def statistics_of(answer: Any) -> ModelStatistics:  # noqa: ANN401 - a protobuf message
    """Take over Triton's answer about one model."""
    versions = answer.model_stats
    batches: dict[int, int] = {}
    for version in versions:
        for batch in version.batch_stats:
            batches[batch.batch_size] = batches.get(batch.batch_size, 0) + batch.compute_infer.count
    stages = ("compute_input", "compute_infer", "compute_output")
    return ModelStatistics(
        requests=sum(version.inference_stats.success.count for version in versions),
        items=sum(version.inference_count for version in versions),
        runs=sum(version.execution_count for version in versions),
        queue_s=sum(version.inference_stats.queue.ns for version in versions) / 1e9,
        compute_s=sum(getattr(version.inference_stats, stage).ns for version in versions for stage in stages) / 1e9,
        batch_runs=dict(sorted(batches.items())),
    )
