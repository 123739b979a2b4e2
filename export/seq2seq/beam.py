"""Beam search with exported graphs, as the reference libraries define it.

They differ: in how long a search goes on, and in what counts as best at its end. So there is one search for each,
over one source at a time.
"""

from dataclasses import dataclass, field

import numpy as np

from export.seq2seq.rules import Rules, log_softmax
from export.seq2seq.runner import Cache, Floats, Graphs, Ids
from export.signature import Tensors


@dataclass(frozen=True)
class BeamSettings:
    """Of a beam search."""

    beams: int
    length_penalty: float = 1.0
    early_stopping: bool | None = False
    """transformers' early_stopping: True stops as soon as `beams` texts have ended, False when the best running one
    would not be better than the worst of those at its present length, None ("never") when it would not at any."""

    def best_possible(self, score: float, length: int, limit: int) -> float:
        """Return what a running text may come to at best, by the library's guess."""
        longest = limit if self.early_stopping is None and self.length_penalty > 0 else length
        return float(score / longest**self.length_penalty)


@dataclass
class _Search:
    """One source's beams."""

    texts: list[list[int]]
    scores: Floats
    """[beams] sum of log-probabilities of the running texts."""
    ended: list[tuple[float, list[int]]] = field(default_factory=list)
    """Best first."""

    def first_rows_only(self) -> None:
        """All beams are alike before the first token: let only the first one count."""
        self.scores[1:] = -1e9


def decode_beam(
    graphs: Graphs, cross: Tensors, prompt: Ids, rules: Rules, limit: int, settings: BeamSettings
) -> list[int]:
    """Search as transformers does (generation/utils.py, `_beam_search`); `cross` and `prompt` [1, T] of one source.

    At each step the 2 x beams best continuations count. Those of the best `beams` that end are kept by their score over
    length ** length_penalty; the best that do not end go on. Texts that reach the limit have ended too.
    """
    cache, search, log_probs = _start(graphs, cross, prompt, settings.beams)
    for done in range(limit):
        totals = rules.apply(log_probs, done, limit) + search.scores[:, None]
        best = _best(totals, 2 * settings.beams)
        length = done + 1
        running: list[tuple[float, int, int]] = []
        for rank, (score, row, token) in enumerate(best):
            if token != rules.eos and length < limit:
                running.append((score, row, token))
            elif rank < settings.beams:
                search.ended.append((score / length**settings.length_penalty, [*search.texts[row], token]))
        search.ended = sorted(search.ended, key=lambda each: -each[0])[: settings.beams]
        running = running[: settings.beams]
        if length == limit or _is_over(search, settings.best_possible(running[0][0], length, limit), settings):
            break
        log_probs = _go_on(cache, search, running)
    return search.ended[0][1]


def decode_beam_openai(graphs: Graphs, cross: Tensors, prompt: Ids, rules: Rules, limit: int, beams: int) -> list[int]:
    """Search as openai-whisper does (decoding.py, `BeamSearchDecoder`), without patience and length penalty.

    Every beam offers its beams + 1 best continuations. The search ends when `beams` texts have ended; the best one by
    the mean log-probability of its tokens, the end token not counted, is returned with its end token.
    """
    cache, search, log_probs = _start(graphs, cross, prompt, beams)
    for done in range(limit):
        ruled = log_softmax(rules.apply(log_probs, done, limit))  # it suppresses before the softmax
        offers = [
            (float(search.scores[row] + ruled[row, token]), row, token)
            for row in range(beams if done else 1)  # before the first token all beams are alike
            for token in np.argpartition(-ruled[row], beams + 1)[: beams + 1].tolist()
        ]
        running: list[tuple[float, int, int]] = []
        for score, row, token in sorted(offers, key=lambda offer: -offer[0]):
            if token != rules.eos:
                running.append((score, row, token))
            elif len(search.ended) < beams:
                search.ended.append((score, search.texts[row]))
            if len(running) == beams:
                break
        log_probs = _go_on(cache, search, running, last=done == limit - 1)
        if len(search.ended) >= beams:
            break
    left = sorted(zip(search.scores.tolist(), search.texts, strict=True), key=lambda each: -each[0])
    search.ended += left[: beams - len(search.ended)]
    best = max(search.ended, key=lambda each: each[0] / max(len(each[1]), 1e-9))
    return [*best[1], rules.eos]


def _start(graphs: Graphs, cross: Tensors, prompt: Ids, beams: int) -> tuple[Cache, _Search, Floats]:
    cache = graphs.start(cross, 1, beams)
    log_probs = log_softmax(cache.step(np.repeat(prompt, beams, axis=0))[:, -1])
    search = _Search([[] for _ in range(beams)], np.zeros(beams, np.float32))
    search.first_rows_only()
    return cache, search, log_probs


def _go_on(cache: Cache, search: _Search, running: list[tuple[float, int, int]], *, last: bool = False) -> Floats:
    """Take up the continuations (score, row, token); unless it was the `last` step, compute what follows them."""
    search.texts = [[*search.texts[row], token] for _, row, token in running]
    search.scores = np.array([score for score, _, _ in running], np.float32)
    if last:
        return np.zeros((0, 0), np.float32)
    cache.pick([row for _, row, _ in running])
    return log_softmax(cache.step(np.array([[token] for _, _, token in running], np.int64))[:, -1])


def _best(totals: Floats, count: int) -> list[tuple[float, int, int]]:
    """Return the greatest `count` of [rows, vocab] as (value, row, token), greatest first."""
    flat = totals.reshape(-1)
    order = np.argpartition(-flat, count)[:count]
    order = order[np.argsort(-flat[order], kind="stable")]
    rows, tokens = np.divmod(order, totals.shape[1])
    return list(zip(flat[order].tolist(), rows.tolist(), tokens.tolist(), strict=True))


def _is_over(search: _Search, best_running: float, settings: BeamSettings) -> bool:
    """`best_running`: what the best running text may come to."""
    if len(search.ended) < settings.beams:
        return False
    return settings.early_stopping is True or best_running <= search.ended[-1][0]
