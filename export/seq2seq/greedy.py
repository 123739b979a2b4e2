"""Greedy decoding with exported graphs."""

import numpy as np

from export.seq2seq.rules import Rules
from export.seq2seq.runner import Graphs, Ids
from export.signature import Tensors


def decode_greedy(graphs: Graphs, cross: Tensors, prompt: Ids, rules: Rules, limit: int) -> list[list[int]]:
    """Return the new tokens of every source, the end token included when it came within the limit.

    Args:
        cross: what `Graphs.start` takes.
        prompt: [B, T], as long for every source.
        limit: most new tokens.
    """
    sources = len(prompt)
    cache = graphs.start(cross, sources)
    logits = cache.step(prompt)[:, -1]
    texts: list[list[int]] = [[] for _ in range(sources)]
    ended = np.zeros(sources, bool)
    for done in range(limit):
        chosen = rules.apply(logits, done, limit).argmax(axis=-1)
        for text, token, over in zip(texts, chosen.tolist(), ended, strict=True):
            if not over:
                text.append(token)
        ended |= chosen == rules.eos
        if ended.all() or done == limit - 1:
            break
        logits = cache.step(chosen[:, None].astype(np.int64))[:, -1]
    return texts
