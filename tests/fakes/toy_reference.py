"""Plain decoding with a toy network: one sequence, no cache, no batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.fakes.toy_decoder import Toy


def greedy(
    toy: Toy, source: Any, most: int, prompt: Sequence[int] = (2,), prefix: Any = None, eos: Sequence[int] | None = None
) -> list[int]:
    """New tokens, the end token included."""
    cross = toy.encode(np.asarray(source)) if toy.source else ()
    made: list[int] = []
    while len(made) < most:
        made.append(int(toy.logits([*prompt, *made], cross, prefix)[-1].argmax()))
        if made[-1] in (toy.eos if eos is None else eos):
            break
    return made


def log_probs(toy: Toy, source: Any, tokens: Sequence[int], prompt: Sequence[int] = (2,)) -> np.ndarray:
    """Log-probability of each of `tokens` after the prompt."""
    cross = toy.encode(np.asarray(source)) if toy.source else ()
    logits = toy.logits([*prompt, *tokens], cross).astype(np.float64)[len(prompt) - 1 : -1]
    normed = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return normed[np.arange(len(tokens)), list(tokens)]


def beams(toy: Toy, source: Any, most: int, count: int) -> tuple[list[int], float]:
    """The best sequence of transformers' beam search (length penalty 1, early stopping False) and its score."""
    cross = toy.encode(np.asarray(source)) if toy.source else ()
    running: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    while running:
        options = []
        for score, tokens in running:
            logits = toy.logits([2, *tokens], cross)[-1].astype(np.float64)
            logits -= np.log(np.exp(logits).sum())
            options += [(score + float(logits[token]), [*tokens, token]) for token in range(toy.vocab)]
        options.sort(reverse=True)
        options = options[: max(2, 1 + len(toy.eos)) * count]
        over = [tokens[-1] in toy.eos or len(tokens) == most for _, tokens in options]
        finished += [(s / len(t), t) for (s, t), o in zip(options[:count], over, strict=False) if o]
        finished = sorted(finished, reverse=True)[:count]
        running = [option for option, o in zip(options, over, strict=True) if not o][:count]
        if running and len(finished) == count and running[0][0] / len(running[0][1]) <= finished[-1][0]:
            break
    return finished[0][1], finished[0][0]
