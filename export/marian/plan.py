"""What Marian's gate feeds and asks."""

from collections.abc import Callable

import numpy as np

from export.marian.settings import MarianSettings, SearchSettings
from export.seq2seq.beam import BeamSettings, decode_beam
from export.seq2seq.greedy import decode_greedy
from export.seq2seq.plan import Limits, Plan
from export.seq2seq.rules import Rules
from export.seq2seq.runner import Ids
from export.signature import Tensors

BEAMS = 4
"""Of the searches that are compared where the folder asks for none: the published ones ask for 4 or 6."""
_SOURCE_TOKENS = (3, 48)
"""Of random sources, the end token included: a word, and two long sentences."""
_LENGTHS = (24, 8, 40)
"""Most new tokens."""
_BEAM_LENGTHS = (6, 20)
_REDUCED = Limits(mean_kl=0.05, agreement=0.7)
"""Random weights in 8 bits: 0.02, and 0.82 at full size. Their best two of 65 001 tokens are a fifth of a standard
deviation apart, so small errors change places; the divergence is what tells a spoilt network from a rounded one."""


def beams_of(search: SearchSettings) -> int:
    """Return how many beams the gate searches with."""
    return search.beams if search.beams > 1 else BEAMS


def plan(settings: MarianSettings, search: SearchSettings) -> Plan:
    """Return the plan for a network of these sizes."""
    rules = Rules(
        eos=settings.end_token,
        suppress=search.suppress,
        forced_last=settings.end_token if search.forced_eos else None,
    )
    beam = BeamSettings(beams_of(search), search.length_penalty, search.early_stopping)
    return Plan(
        samples=_samples(settings),
        prompt=lambda rng, size: np.full((size, 1), settings.start_token, np.int64),
        beside=beside,
        greedy=lambda graphs, cross, prompt, limit: decode_greedy(graphs, cross, prompt, rules, limit),
        beam=lambda graphs, cross, prompt, limit: decode_beam(graphs, cross, prompt, rules, limit, beam),
        lengths=_LENGTHS,
        reduced=_REDUCED,
        beam_lengths=_BEAM_LENGTHS,
    )


def beside(inputs: Tensors, outputs: Tensors) -> Tensors:
    """Put the source's mask beside its keys and values: the decoder reads both."""
    return {**outputs, "encoder_mask": inputs["encoder_mask"]}


def _samples(settings: MarianSettings) -> Callable[[np.random.Generator, int], Tensors]:
    ordinary = np.setdiff1d(
        np.arange(settings.vocab_size), [settings.end_token, settings.pad_token, settings.start_token]
    )

    def draw(rng: np.random.Generator, size: int) -> dict[str, Ids]:
        least, most = _SOURCE_TOKENS
        lengths = rng.integers(least, min(most, settings.max_positions) + 1, size)
        ids = np.full((size, int(lengths.max())), settings.pad_token, np.int64)
        mask = np.zeros_like(ids)
        for row, length in enumerate(lengths):
            ids[row, : length - 1] = rng.choice(ordinary, length - 1)
            ids[row, length - 1] = settings.end_token
            mask[row, :length] = 1
        return {"input_ids": ids, "encoder_mask": mask}

    return draw
