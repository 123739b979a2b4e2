"""The gate of an encoder-decoder network: exported graphs against the reference library, batch after batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from export.bundle.family import Progress
from export.bundle.measure import GateRecord, Measure, check_measures
from export.parity import check_finite, max_abs_difference
from export.seq2seq.plan import BATCH, EXACT_ABS, Plan
from export.seq2seq.reference import Encoded, Reference, text_scores
from export.seq2seq.rules import divergence
from export.seq2seq.runner import Floats, Graphs, Ids
from export.signature import Tensors

EXACT = "fp32"
_TIE = EXACT_ABS
"""Where two choices of the reference are no further apart than its logits may be off, either is right."""


@dataclass
class _Seen:
    """What was found, over all batches."""

    cross_abs: float = 0.0
    logits_abs: float = 0.0
    batch_abs: float = 0.0
    padding_abs: float = 0.0
    divergences: list[float] = field(default_factory=list)
    agreed: int = 0
    asked: int = 0
    compared: dict[str, int] = field(default_factory=lambda: {"greedy": 0, "beam": 0, "batch": 0})
    """Tokens compared, by kind of decoding."""
    texts: dict[str, int] = field(default_factory=lambda: {"greedy": 0, "beam": 0, "batch": 0})
    differing: dict[str, int] = field(default_factory=lambda: {"greedy": 0, "beam": 0, "batch": 0})
    """Texts that are not the reference's, ties not counted."""
    ties: int = 0
    distinct: set[int] = field(default_factory=set)
    """Tokens that the reference chose: one that always says the same proves little."""


def compare(
    reference: Reference, graphs: Graphs, plan: Plan, precision: str, seed: int, progress: Progress
) -> GateRecord:
    """Compare; raise ParityMissed with all figures, or NotFinite."""
    rng = np.random.default_rng(seed)
    seen = _Seen()
    done = 0
    exact = precision == EXACT
    sources = plan.sources if exact else min(plan.sources, plan.reduced_sources)
    for number, size in enumerate(_batches(sources)):
        progress(f"{precision}: comparing {done + 1}..{done + size} of {sources} with {reference.library}")
        inputs, prompt = plan.samples(rng, size), plan.prompt(rng, size)
        encoded = reference.encode(inputs)
        limits = tuple(lengths[number % len(lengths)] for lengths in (plan.lengths, plan.beam_lengths))
        _Batch(encoded, graphs, plan, inputs, prompt, seen).compare(limits, exact=exact)
        done += size
    measures = _exact(seen) if exact else _reduced(seen, plan)
    check_measures(f"{precision} against {reference.library}", measures)
    fed = {
        "sources": sources,
        "new_tokens": sorted(set(plan.lengths)),
        "beam_new_tokens": sorted(set(plan.beam_lengths)),
        "tokens_compared": dict(seen.compared),
        "distinct_tokens": len(seen.distinct),
    }
    return GateRecord(precision, seed, reference.library, fed, measures)


def _batches(sources: int) -> Iterator[int]:
    while sources > 0:
        yield min(BATCH, sources)
        sources -= BATCH


@dataclass
class _Batch:
    encoded: Encoded
    graphs: Graphs
    plan: Plan
    inputs: Tensors
    prompt: Ids
    seen: _Seen

    def compare(self, limits: tuple[int, ...], *, exact: bool) -> None:
        """Compare numbers always; whole texts where the precision has to be exact."""
        outputs = self.graphs.encode(self.inputs)
        check_finite(outputs, "outputs of the exported encoder")
        expected = self.encoded.cross()
        self.seen.cross_abs = max(
            self.seen.cross_abs, *(max_abs_difference(array, outputs[name]) for name, array in expected.items())
        )
        cross = self.plan.beside(self.inputs, outputs)
        greedy = self.encoded.greedy(self.prompt, limits[0])
        for text in greedy:
            self.seen.distinct.update(text)
        self._numbers(cross, greedy)
        if exact:
            got = self.plan.greedy(self.graphs, cross, self.prompt, limits[0])
            self._same("greedy", greedy, got)
            beam = self.encoded.beam(self.prompt, limits[1])
            singles = [self._part(cross, row) for row in range(len(self.prompt))]
            self._same("beam", beam, [self._beam(single, row, limits[1]) for row, single in enumerate(singles)])
            alone = [self._greedy_alone(single, row, limits[0]) for row, single in enumerate(singles)]
            self._same("batch", got, alone)

    def _numbers(self, cross: Tensors, greedy: Sequence[Sequence[int]]) -> None:
        """Compare logits after the reference's own tokens: at once, token by token, and with padding before them."""
        count = min(map(len, greedy))
        ids = np.concatenate([self.prompt, np.array([text[:count] for text in greedy], np.int64)], axis=1)[:, :-1]
        expected = self.encoded.logits(ids)
        check_finite({"logits": expected}, "outputs of the original")
        cache = self.graphs.start(cross, len(ids))
        start = self.prompt.shape[1]
        parts = [cache.step(ids[:, :start]), *(cache.step(ids[:, at : at + 1]) for at in range(start, ids.shape[1]))]
        got = np.concatenate(parts, axis=1)
        check_finite({"logits": got}, "outputs of the exported decoder")
        seen = self.seen
        seen.logits_abs = max(seen.logits_abs, max_abs_difference(expected, got))
        seen.divergences += divergence(expected[:, start - 1], got[:, start - 1]).tolist()
        seen.agreed += int((expected[:, start - 1 :].argmax(-1) == got[:, start - 1 :].argmax(-1)).sum())
        seen.asked += len(ids) * count
        self._padded(cross, ids, got)
        self._batched(ids, got)

    def _padded(self, cross: Tensors, ids: Ids, got: Floats) -> None:
        """Rows of a batch may have padding before their tokens: every second one gets some."""
        few = 3
        padding = np.zeros((len(ids), few), np.int64)
        mask = np.concatenate([padding, np.ones_like(ids)], axis=1)
        padded = np.concatenate([padding + ids[:, :1], ids], axis=1)
        padded[1::2, :-few], mask[1::2] = ids[1::2], 1
        mask[1::2, -few:] = 0
        logits = self.graphs.start(cross, len(ids)).step(padded, mask)
        self.seen.padding_abs = max(
            self.seen.padding_abs,
            max_abs_difference(logits[::2, few:], got[::2]),
            max_abs_difference(logits[1::2, :-few], got[1::2]),
        )

    def _batched(self, ids: Ids, got: Floats) -> None:
        """What a source gives alone, the encoder included: of the first one and the last one."""
        for row in {0, len(ids) - 1}:
            alone = self.graphs.start(self._alone(row), 1).step(ids[row : row + 1])
            self.seen.batch_abs = max(self.seen.batch_abs, max_abs_difference(got[row : row + 1], alone))

    def _alone(self, row: int) -> Tensors:
        """Encode one source by itself."""
        inputs = self._part(self.inputs, row)
        return self.plan.beside(inputs, self.graphs.encode(inputs))

    @staticmethod
    def _part(tensors: Tensors, row: int) -> Tensors:
        return {name: array[row : row + 1] for name, array in tensors.items()}

    def _greedy_alone(self, cross: Tensors, row: int, limit: int) -> list[int]:
        return self.plan.greedy(self.graphs, cross, self.prompt[row : row + 1], limit)[0]

    def _beam(self, cross: Tensors, row: int, limit: int) -> list[int]:
        return self.plan.beam(self.graphs, cross, self.prompt[row : row + 1], limit)

    def _same(self, kind: str, expected: Sequence[list[int]], got: Sequence[list[int]]) -> None:
        for row, (one, other) in enumerate(zip(expected, got, strict=True)):
            self.seen.texts[kind] += 1
            self.seen.compared[kind] += len(one)
            if one == other:
                continue
            if self._is_tie(kind, row, one, other):
                self.seen.ties += 1
            else:
                self.seen.differing[kind] += 1

    def _is_tie(self, kind: str, row: int, one: list[int], other: list[int]) -> bool:
        """Whether the reference itself gives both choices the same score, as far as logits may be off."""
        if kind != "beam":  # what follows a token chosen otherwise is of no account
            same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
            if same is None:
                return False
            one, other = one[: same + 1], other[: same + 1]
        first, second = text_scores(self.encoded, self.prompt, [one, other], row)
        if kind != "beam":
            return bool(abs(first[-1] - second[-1]) <= _TIE)
        return bool(abs(first.mean() - second.mean()) <= _TIE)


def _exact(seen: _Seen) -> tuple[Measure, ...]:
    return (
        Measure("cross_max_abs", seen.cross_abs, EXACT_ABS),
        Measure("logits_max_abs", seen.logits_abs, EXACT_ABS),
        Measure("batch_max_abs", seen.batch_abs, EXACT_ABS),
        Measure("padding_max_abs", seen.padding_abs, EXACT_ABS),
        *(Measure(f"{kind}_texts_differing", seen.differing[kind], 0) for kind in seen.differing),
        Measure("ties", seen.ties, _most_ties(seen)),
        *_stated(seen),
    )


def _most_ties(seen: _Seen) -> int:
    """A tie is rare; more than one text in thirty would be no coincidence any more."""
    return max(1, sum(seen.texts.values()) // 30)


def _reduced(seen: _Seen, plan: Plan) -> tuple[Measure, ...]:
    agreement = seen.agreed / seen.asked
    return (
        Measure("first_token_kl_mean", float(np.mean(seen.divergences)), plan.reduced.mean_kl),
        Measure("greedy_agreement", agreement, plan.reduced.agreement, at_least=True),
        Measure("first_token_kl_max", float(np.max(seen.divergences)), None),
        Measure("cross_max_abs", seen.cross_abs, None),
        Measure("logits_max_abs", seen.logits_abs, None),
        Measure("batch_max_abs", seen.batch_abs, None),
        Measure("padding_max_abs", seen.padding_abs, None),
    )


def _stated(seen: _Seen) -> tuple[Measure, ...]:
    return (
        Measure("first_token_kl_mean", float(np.mean(seen.divergences)), None),
        Measure("greedy_agreement", seen.agreed / seen.asked, None),
    )
