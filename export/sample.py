"""Records a version's sample beside its graph: what a swap asks the version again before it may serve.

Any exporter may call `record_sample` with its own inputs and checks (client/sample.py says which kinds there are).
"""

from collections.abc import Mapping
from pathlib import Path

from client.sample import Check, Sample, write_sample
from export.family import Family
from export.parity import Runner, check_finite
from export.signature import Tensors


def record_sample(folder: Path, run: Runner, inputs: Tensors, checks: Mapping[str, Check]) -> None:
    """Run the version's graph on `inputs` and write both down; NotFinite when an output is not.

    `folder` is the version's; `inputs` have the batch axis, texts are Unicode arrays. Outputs without a check are left
    out.
    """
    answered = run(inputs)
    outputs = {name: answered[name] for name in checks}
    check_finite(outputs, "outputs of the recorded sample")
    write_sample(folder, Sample(inputs, outputs, checks))


def record_family_sample(family: Family, run: Runner, folder: Path) -> None:
    """Record one item of the family's own random inputs; the same for every export."""
    record_sample(folder, run, family.sample_inputs(), family.sample_checks())
