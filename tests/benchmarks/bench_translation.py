"""Does the sentence gate help the translation? The whole of `polylip eval translation`.

    python -m tests.benchmarks --only timing

Takes a few minutes the first time; what was recognised and translated is kept in out/translation.
"""

from orchestrator.cli.evaluate import OUT, StepBars, show
from orchestrator.evaluation.local import evaluate_translation
from orchestrator.evaluation.results import Segmentation, Text
from orchestrator.settings import Settings
from tests.benchmarks.results import record


def main() -> None:
    """Evaluate all paragraphs; print, record."""
    with StepBars() as bars:
        evaluation = evaluate_translation(Settings(), OUT, bars.show)
    show(evaluation)
    gate = evaluation.of(Text.HEARD, Segmentation.GATE)
    record(
        {
            "translation.bleu_gain": evaluation.gain(Text.HEARD, "bleu").gain,
            "translation.chrf_gain": evaluation.gain(Text.HEARD, "chrf").gain,
            "translation.bleu_written_gain": evaluation.gain(Text.HEARD, "bleu_written").gain,
            "translation.chrf_written_gain": evaluation.gain(Text.HEARD, "chrf_written").gain,
            "translation.complete_share": gate.complete_share,
        }
    )


if __name__ == "__main__":
    main()
