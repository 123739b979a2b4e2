"""The choice of tokens against transformers itself, on the same random network: greedy, beams and the logits rules."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from generate.beams import BeamChooser
from generate.chooser import Chooser, plan
from generate.generation import DecodingOptions, GenerationRequest, Hypothesis
from generate.rows import RowChooser
from transformers import GPT2Config, GPT2LMHeadModel

VOCAB, EOS, PAD = 40, 1, 2
RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    (
        {"repetition_penalty": 1.3, "suppress": (5, 6), "begin_suppress": (EOS,), "min_new_tokens": 2},
        {"repetition_penalty": 1.3, "suppress_tokens": [5, 6], "begin_suppress_tokens": [EOS], "min_new_tokens": 2},
    ),
    ({"forced_eos": True}, {"forced_eos_token_id": EOS}),
]


@pytest.fixture(scope="module")
def network() -> Iterator[GPT2LMHeadModel]:
    """Random weights large enough that its choices differ from step to step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # what is computed is too small to share
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=64,
        n_embd=32,
        n_layer=1,
        n_head=2,
        bos_token_id=0,
        eos_token_id=EOS,
        pad_token_id=PAD,
    )
    made = GPT2LMHeadModel(config).eval().requires_grad_(False)
    for weights in made.parameters():
        if weights.dim() > 1:
            weights.mul_(6)
    yield made
    torch.set_num_threads(threads)


def ours(network: GPT2LMHeadModel, prompt: Sequence[int], options: DecodingOptions) -> tuple[Hypothesis, ...]:
    made = plan(GenerationRequest(options, tuple(prompt)), (EOS,), 64)
    chooser: Chooser = BeamChooser(made) if options.beams > 1 else RowChooser(made)
    rows = [list(prompt)]
    while True:
        logits = network(torch.tensor(rows)).logits[:, -1].numpy().copy()
        if (choice := chooser.choose(logits, None)) is None:
            return chooser.hypotheses()
        origins = choice.origins or range(len(rows))
        rows = [[*rows[origin], token] for origin, token in zip(origins, choice.tokens, strict=True)]


def theirs(network: GPT2LMHeadModel, prompt: Sequence[int], **options: Any) -> tuple[list[list[int]], Any]:
    found = network.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    rows = [row[len(prompt) :].tolist() for row in found.sequences]
    return [row[: row.index(EOS) + 1] if EOS in row else row for row in rows], getattr(found, "sequences_scores", None)


@pytest.mark.parametrize("rules", RULES, ids=["plain", "rules", "forced_eos"])
@pytest.mark.parametrize("beams", [1, 2, 5])
def test_the_tokens_are_those_of_transformers(
    network: GPT2LMHeadModel, beams: int, rules: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    rng = np.random.default_rng(beams)
    for length_penalty, early in [(1.0, False), (2.0, True), (0.6, None)]:
        prompt = rng.integers(3, VOCAB, rng.integers(1, 6)).tolist()
        most = int(rng.integers(4, 18))
        options = DecodingOptions(
            most, beams=beams, hypotheses=beams, length_penalty=length_penalty, early_stopping=early, **rules[0]
        )
        more = {"length_penalty": length_penalty, "early_stopping": "never" if early is None else early}
        sequences, scores = theirs(
            network,
            prompt,
            max_new_tokens=most,
            num_beams=beams,
            num_return_sequences=beams,
            **(more if beams > 1 else {}),
            **rules[1],
        )
        made = ours(network, prompt, options)
        assert [list(each.tokens) for each in made] == sequences[: len(made)]
        if beams > 1:
            np.testing.assert_allclose([each.score for each in made], scores[: len(made)], atol=2e-4)
