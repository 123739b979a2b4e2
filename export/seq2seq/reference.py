"""What the gate asks of a reference library's model, loaded from the same published files."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from export.seq2seq.runner import Floats, Ids
from export.signature import Tensors


class Encoded(Protocol):
    """Sources that the reference has encoded; how, is its own matter."""

    def cross(self) -> Tensors:
        """Return the keys and values of cross-attention by the names of the exported graph, in its layout."""

    def logits(self, ids: Ids) -> Floats:
        """Return the logits [B, T, vocab] of these tokens [B, T], one row for each source, no cache."""

    def greedy(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode greedily: new tokens of every source, with the end token when it came within the limit."""

    def beam(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode by the library's own beam search, likewise."""


class Reference(Protocol):
    """A model of the reference library."""

    library: str
    """Name and release."""

    def encode(self, inputs: Tensors) -> Encoded:
        """Encode a batch of sources."""


def text_scores(encoded: Encoded, prompt: Ids, texts: Sequence[Sequence[int]], row: int) -> list[NDArray[np.float64]]:
    """Return for each text the reference's log-probabilities of its tokens after the prompt, for the source `row`."""
    scores = []
    for text in texts:
        ids = np.concatenate([prompt, np.tile(np.asarray(text, np.int64), (len(prompt), 1))], axis=1)
        logits = encoded.logits(ids[:, :-1])[row, prompt.shape[1] - 1 :].astype(np.float64)
        logits -= logits.max(axis=-1, keepdims=True)
        probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        scores.append(probabilities[np.arange(len(text)), list(text)])
    return scores
