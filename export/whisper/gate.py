"""How the gate of Whisper compares: what it feeds, and how both sides decode."""

from collections.abc import Mapping
from pathlib import Path

from export.bundle.family import Progress
from export.bundle.measure import GateRecord
from export.bundle.published import Published
from export.parity import Runner
from export.seq2seq.beam import BeamSettings, decode_beam, decode_beam_openai
from export.seq2seq.compare import compare
from export.seq2seq.greedy import decode_greedy
from export.seq2seq.plan import Limits, Plan
from export.seq2seq.reference import Reference
from export.seq2seq.rules import Rules
from export.seq2seq.runner import Graphs, Ids
from export.signature import Tensors
from export.whisper import openai_reference, transformers_reference
from export.whisper.settings import WhisperSettings
from export.whisper.sounds import samples
from export.whisper.vocabulary import Vocabulary

REDUCED = Limits(mean_kl=0.05, agreement=0.7)
"""The divergence tells a spoilt network from a rounded one. Random weights choose among 51,865 tokens of which the best
two lie close together, so small errors change places more often than in a trained network."""
LENGTHS = (4, 8, 16, 24)
"""Most new tokens of a batch."""


def check(
    published: Published,
    settings: WhisperSettings,
    vocabulary: Vocabulary,
    run: Mapping[str, Runner],
    precision: str,
    seed: int,
    sources: int,
    progress: Progress,
) -> GateRecord:
    """Compare with the library that the checkpoint was published for; ParityMissed, NotFinite."""
    progress(f"{precision}: loading the original")
    is_folder = published.path.is_dir()
    plan = plan_of(settings, vocabulary, sources, is_folder=is_folder)
    reference = reference_of(published.path, vocabulary)
    return compare(reference, Graphs(run, settings.shape), plan, precision, seed, progress)


def reference_of(path: Path, vocabulary: Vocabulary) -> Reference:
    """Load the library's model: a folder is transformers', a file openai-whisper's."""
    if path.is_dir():
        return transformers_reference.TransformersReference(path, vocabulary)
    return openai_reference.OpenaiReference(path, vocabulary)


def plan_of(settings: WhisperSettings, vocabulary: Vocabulary, sources: int, *, is_folder: bool) -> Plan:
    """Say what is fed, and how both sides decode."""
    rules = Rules(vocabulary.end, vocabulary.suppress, vocabulary.begin_suppress)

    def beam(graphs: Graphs, cross: Tensors, prompt: Ids, limit: int) -> list[int]:
        if is_folder:
            return decode_beam(graphs, cross, prompt, rules, limit, BeamSettings(transformers_reference.BEAMS))
        return decode_beam_openai(graphs, cross, prompt, rules, limit, openai_reference.BEAMS)

    return Plan(
        samples=lambda rng, batch: samples(settings, rng, batch),
        prompt=lambda rng, batch: transformers_reference.draw_prompt(vocabulary, rng, batch),
        beside=lambda inputs, outputs: outputs,
        greedy=lambda graphs, cross, prompt, limit: decode_greedy(graphs, cross, prompt, rules, limit),
        beam=beam,
        lengths=LENGTHS,
        reduced=REDUCED,
        sources=sources,
    )
