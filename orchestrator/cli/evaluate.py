"""`polylip eval`: what the pipeline is worth, measured on this machine.

The evaluation is imported when the command runs, for it needs sacrebleu, which nothing else of the project does.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestrator.cli.output import console, errors, plain_errors
from orchestrator.evaluation.errors import EvaluationExtraMissing
from orchestrator.logs import configure_logging
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.evaluation.results import Evaluation

app = typer.Typer(help="Measure what the pipeline is worth.", no_args_is_help=True)

OUT = Path("out/translation")
PAPER = "The paper claims +7.4 BLEU, +8.6 chrF++ and 71 % -> 93 % complete sentences (other speech, other engines)."


@app.callback()
def evaluate() -> None:
    """Measure what the pipeline is worth."""


@app.command("translation")
def translation(
    limit: Annotated[int | None, typer.Option(min=1, help="Take the first so many paragraphs only.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the figures and kept answers.")] = OUT,
    stt: Annotated[bool, typer.Option(help="Recognise the speech; off: translate what was really said.")] = True,
    comet: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of a COMET checkpoint; needs the command comet-score."),
    ] = None,
) -> None:
    """Does the sentence gate help? English speech into Spanish, by pauses alone and by the gate, scored."""
    with plain_errors():
        try:
            from orchestrator.evaluation.local import evaluate_translation
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package != "sacrebleu":
                raise
            raise EvaluationExtraMissing(package) from error
        settings = Settings()
        configure_logging("WARNING", settings.log_format)
        with StepBars() as bars:
            evaluation = evaluate_translation(settings, out, bars.show, limit=limit, stt=stt, comet=comet)
        show(evaluation)
        console.print(f"Figures: {out / 'translation.json'}; every text: {out / 'texts.json'}", soft_wrap=True)


def show(evaluation: "Evaluation") -> None:
    """Print the figures beside the paper's claims, and how they were made."""
    table = _table("text", "cut by", "units", "complete", "one", "F1", "BLEU", "chrF++", "BLEU*", "chrF++*")
    for one in evaluation.conditions:
        shares = (f"{share:.0%}" for share in (one.complete_share, one.one_sentence_share, one.sentence_f1))
        scores = (f"{score:.1f}" for score in (one.bleu, one.chrf, one.bleu_written, one.chrf_written))
        table.add_row(one.text, one.segmentation, str(one.units), *shares, *scores)
    console.print(table)
    gains = _table("text", "against pauses", "metric", "gain", "95 % interval", "p")
    for one_gain in evaluation.gains:
        gain = one_gain.gain
        interval = f"{gain.low:+.2f} .. {gain.high:+.2f}"
        figures = (f"{gain.gain:+.2f}", interval, f"{gain.p_value:.3f}")
        gains.add_row(one_gain.text, one_gain.segmentation, one_gain.metric, *figures)
    console.print(gains)
    _show_notes(evaluation)


def _table(*columns: str) -> Table:
    """Make a table that fits into 80 columns."""
    return Table(*columns, box=None, pad_edge=False)


def _show_notes(evaluation: "Evaluation") -> None:
    console.print(
        "complete: begins and ends where sentences do; one: is exactly one; F1: sentences found", soft_wrap=True
    )
    console.print("BLEU, chrF++: words alone, lower case; * and _written: as written, with punctuation", soft_wrap=True)
    console.print(PAPER, soft_wrap=True)
    rate = evaluation.word_error_rate
    heard = "nothing was recognised" if rate is None else f"word error rate of the recogniser {rate:.1%}"
    engines = ", ".join(f"{task} {version}" for task, version in evaluation.engines.items())
    console.print(f"{evaluation.paragraphs} paragraphs; {heard}; {engines}", soft_wrap=True)
    for metric, signature in evaluation.signatures.items():
        console.print(f"  {metric}: {signature}", soft_wrap=True)
    for reason, count in evaluation.gate_fallbacks.items():
        console.print(f"  {count} texts were judged by punctuation and pauses: {reason}")
    comets = [
        f"{one.text}, {one.segmentation} {one.comet:.4f}" for one in evaluation.conditions if one.comet is not None
    ]
    console.print("COMET: " + ("; ".join(comets) or "not computed (--comet FOLDER)"), soft_wrap=True)


class StepBars:
    """A bar for each step, made when it begins."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=errors
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "StepBars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Move a step's bar."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done)
