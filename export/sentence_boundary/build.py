"""From Debian's packages to a scored version in the model repository."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from export import install
from export.errors import ExportError
from export.manifest import FILE_NAME, tools, write_manifest
from export.onnx_file import trace
from export.parity import Parity, Runner, check_parity
from export.runtime import open_graph
from export.sentence_boundary.calibration import calibrate
from export.sentence_boundary.corpus import SIDES, Corpus, count, split_corpus
from export.sentence_boundary.examples import Example, balanced, clauses
from export.sentence_boundary.family import FAMILY
from export.sentence_boundary.half_weights import round_weights, store_half
from export.sentence_boundary.network import BoundaryNetwork
from export.sentence_boundary.packages import Unpacked, fetch
from export.sentence_boundary.scores import GATE, Array, by, reliability, scores, truth
from export.sentence_boundary.sources import documents
from export.sentence_boundary.styles import STYLES
from export.sentence_boundary.tokens import TOKENISER, TOKENISER_PATH
from export.sentence_boundary.training import Recipe, train
from export.sentence_boundary.windows import stream

MEASURED_EACH = 1000
"""Complete and incomplete texts of each language and style in validation and test."""
SAMPLE_EACH = 150
"""The same in the sample of the test that is kept beside the benchmark."""
GRAPH = "model.onnx"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One training."""

    packages: Path
    """Where packages are kept and unpacked."""
    repository: Path
    sample: Path
    """File for the sample of the held-out texts."""
    recipe: Recipe


def build(job: Job, say: Say) -> Path:
    """Fetch, train, calibrate, trace, check, score and install; return the version's folder.

    Raises:
        ExportError: its sub-classes say what; the repository is as it was.
    """
    with install.staging(job.repository, FAMILY.triton_model, None) as room:
        sources = source_sha256()
        unpacked, corpus = _read(job, say)
        validation = balanced(corpus["validation"], MEASURED_EACH, job.recipe.seed)
        streams = {style: stream(corpus["train"], style, job.recipe.seed) for style in STYLES}
        network, seconds = train(streams, job.recipe, lambda step, loss: say(f"step {step}: loss {loss:.4f}"))
        round_weights(network)
        calibrate(network, validation)
        graph = room.folder / GRAPH
        parity = _write_graph(network, graph, job.recipe.seed)
        content = _manifest(job.recipe, seconds, network, parity, unpacked, corpus)
        content |= {"source_sha256": sources, "graph_sha256": _sha256(graph)}
        _measure(room.folder, content, corpus, job, say)
        return room.install()


def score(job: Job, say: Say) -> Path:
    """Score the newest version again, on the same packages; the manifest gets the figures, the sample is written anew.

    Raises:
        ExportError: its sub-classes say what.
    """
    model_folder = job.repository / FAMILY.triton_model
    newest = max(install.versions(model_folder), default=None)
    if newest is None:
        raise ExportError(f"{model_folder} has no version to score")
    folder = model_folder / str(newest)
    content = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    if content["graph_sha256"] != _sha256(folder / GRAPH):
        raise ExportError(f"{folder / GRAPH} is not the graph that its manifest tells of")
    _, corpus = _read(job, say)
    _measure(folder, content, corpus, job, say)
    return folder


def _read(job: Job, say: Say) -> tuple[list[Unpacked], Corpus]:
    say("fetching and reading the packages")
    unpacked = list(fetch(job.packages))
    corpus = split_corpus((each for one in unpacked for each in documents(one)), job.recipe.seed)
    say(", ".join(f"{side}: {count(corpus[side])} sentences" for side in SIDES))
    return unpacked, corpus


def _measure(folder: Path, content: dict[str, object], corpus: Corpus, job: Job, say: Say) -> None:
    """Score the folder's graph; write its manifest and the sample."""
    run = open_graph(folder / GRAPH)
    test = balanced(corpus["test"], MEASURED_EACH, job.recipe.seed)
    ends = clauses(corpus["test"], MEASURED_EACH // 2, job.recipe.seed)
    kept = sample_of(test)
    content["test"] = scored(test, answers_of(run, test))
    content["clause ends that pass the gate"] = passing(ends, answers_of(run, ends))
    content["sample"] = _rounded(asdict(scores(truth(kept), answers_of(run, kept))))
    write_manifest(folder, content)
    lines = [json.dumps(example.as_json(), ensure_ascii=False) for example in kept]
    install.write_file(job.sample, ("\n".join(lines) + "\n").encode())
    say(json.dumps(content["test"], indent=1))


def answers_of(run: Runner, examples: Sequence[Example], batch: int = 32) -> Array:
    """Run the graph on the texts; the probabilities."""
    found = []
    for start in range(0, len(examples), batch):
        tokens = np.stack([TOKENISER.features_of(example.text) for example in examples[start : start + batch]])
        found.append(run({"TOKENS": tokens})["COMPLETE"][:, 0])
    return np.concatenate(found).astype(np.float64)


def scored(examples: Sequence[Example], answers: Array) -> dict[str, object]:
    """Score the answers as a whole and in parts, beside a rule that trusts the last mark; for the manifest."""
    complete = truth(examples)
    marks = np.array([example.text.rstrip("\"'”’»)]").endswith((".", "?", "!")) for example in examples])
    parts = {
        "language and style": by(lambda example: f"{example.language} {example.style}", examples, answers),
        "source": by(lambda example: example.group, examples, answers),
        "how it was made": by(lambda example: f"{example.style} {example.kind}", examples, answers),
    }
    return {
        "all": _rounded(asdict(scores(complete, answers))),
        "accuracy of a rule that trusts the last mark": round(float((marks == complete).mean()), 4),
        "reliability": [
            {"from": each / 10, "texts": size, "mean": round(mean, 3), "complete": round(share, 3)}
            for each, (size, mean, share) in enumerate(reliability(complete, answers))
        ],
        **{what: {name: _rounded(asdict(one)) for name, one in found.items()} for what, found in parts.items()},
    }


def passing(examples: Sequence[Example], answers: Array) -> dict[str, float]:
    """Return the share of texts of each style that the gate takes for whole."""
    styles = np.array([example.style for example in examples])
    return {style: round(float((answers[styles == style] >= GATE).mean()), 4) for style in STYLES}


def sample_of(test: Sequence[Example]) -> list[Example]:
    """Return the first SAMPLE_EACH examples of each language, style and answer, but no fortunes.

    Those quote whom they like, and not everything that one would like to have in a repository.
    """
    seen: Counter[tuple[str, str, bool]] = Counter()
    kept = []
    for example in test:
        part = (example.language, example.style, example.complete)
        if seen[part] < SAMPLE_EACH and not example.group.startswith("fortunes"):
            seen[part] += 1
            kept.append(example)
    return kept


def _write_graph(network: BoundaryNetwork, path: Path, seed: int) -> Parity:
    trace(FAMILY, FAMILY.graph(network), path)
    store_half(path)
    return check_parity(FAMILY, network, open_graph(path), "fp32", seed)


def _manifest(
    recipe: Recipe, seconds: float, network: BoundaryNetwork, parity: Parity, unpacked: list[Unpacked], corpus: Corpus
) -> dict[str, object]:
    sizes = {side: Counter[str]() for side in SIDES}
    for side in SIDES:
        for passage in corpus[side]:
            sizes[side][passage.group] += len(passage.sentences)
    return {
        "model": FAMILY.triton_model,
        "licence": FAMILY.licence,
        "signature": FAMILY.signature.as_json(),
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "recipe": asdict(recipe),
        "training_s": round(seconds),
        "calibration": {"slope": round(float(network.slope), 4), "offset": round(float(network.offset), 4)},
        "parity": parity.as_json(),
        "sentences": {side: {"all": count(corpus[side]), **dict(sorted(sizes[side].items()))} for side in SIDES},
        "packages": [
            {
                "name": each.package.name,
                "version": each.version,
                "licence": each.package.licence,
                "sha256": each.sha256,
            }
            for each in unpacked
        ],
        "tools": tools(),
    }


def source_sha256() -> dict[str, str]:
    """Hash the code that decides what comes out, so that a test can tell when it has changed since."""
    paths = [*sorted(Path(__file__).parent.glob("*.py")), TOKENISER_PATH]
    return {path.name: _sha256(path) for path in paths}


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
