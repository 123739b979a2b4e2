"""The evaluation on one machine with nothing else running: a Triton of its own, files in a folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from client.contracts import Task
from deploy.triton.embedded import EmbeddedTriton
from deploy.triton.profiles import profile_arguments
from orchestrator.engines import Engines
from orchestrator.evaluation.cache import AnswerCache
from orchestrator.evaluation.comet import comet_scores
from orchestrator.evaluation.paragraphs import read_paragraphs
from orchestrator.evaluation.results import Evaluation, summed_up
from orchestrator.evaluation.translation import EvaluatedEngines, Progress, Translated, TranslationEvaluation
from orchestrator.settings import Settings

FIGURES, TEXTS = "translation.json", "texts.json"


def evaluate_translation(
    settings: Settings,
    out: Path,
    progress: Progress,
    *,
    limit: int | None = None,
    stt: bool = True,
    comet: Path | None = None,
) -> Evaluation:
    """Evaluate the first `limit` paragraphs (None: all), write FIGURES and TEXTS into `out`, return the figures.

    What was spoken, recognised and translated is kept under `out`, so that the next run need not do it again.
    `stt` False: only what was really said is translated. `comet`: a checkpoint's folder.

    Raises:
        PolylipError: an engine's failure, no flite, or COMET's.
    """
    paragraphs = read_paragraphs()[:limit]
    with _engines(settings, stt=stt) as engines:
        done = TranslationEvaluation(engines, settings, AnswerCache(out / "cache"), progress).run(paragraphs)
    scores = comet_scores(comet, done.conditions) if comet else None
    evaluation = summed_up(done.conditions, engines.versions, done.word_error_rate, done.fallbacks, scores)
    _write(out, done, evaluation)
    return evaluation


@contextmanager
def _engines(settings: Settings, *, stt: bool) -> Iterator[EvaluatedEngines]:
    profile = profile_arguments(settings.triton.profile)
    names = {Task.STT: settings.engines.stt, Task.MT: settings.engines.mt, Task.BOUNDARY: settings.engines.boundary}
    asked = {task: name for task, name in names.items() if name and (stt or task is not Task.STT)}
    with (
        tempfile.TemporaryDirectory(prefix="polylip-") as folder,
        EmbeddedTriton(list(asked.values()), run_dir=Path(folder), extra_args=profile) as triton,
    ):
        triton_settings = settings.triton.model_copy(update={"grpc_url": triton.grpc_url})
        engines = Engines(settings.model_copy(update={"triton": triton_settings}))
        served = engines.served_versions()
        versions = {str(task): f"{name} {served.get(name, '')}".strip() for task, name in asked.items()}
        try:
            yield EvaluatedEngines(engines.stt() if stt else None, engines.mt(), engines.boundary(), versions)
        finally:
            engines.close()


def _write(out: Path, done: Translated, evaluation: Evaluation) -> None:
    out.mkdir(parents=True, exist_ok=True)
    texts = [
        {"text": one.text, "segmentation": one.segmentation, "paragraphs": one.paragraphs} for one in done.conditions
    ]
    for name, content in ((FIGURES, evaluation), (TEXTS, texts)):
        (out / name).write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
