"""Makes the network's answers probabilities: two numbers fitted on texts not learnt from (Platt scaling)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from export.sentence_boundary.examples import Example
from export.sentence_boundary.network import BoundaryNetwork
from export.sentence_boundary.scores import truth
from export.sentence_boundary.tokens import TOKENISER

_BATCH = 256


def calibrate(network: BoundaryNetwork, examples: Sequence[Example]) -> None:
    """Set the network's slope and offset to what makes these answers most likely."""
    answers = last_logits(network, examples)
    complete = torch.from_numpy(truth(examples)).to(torch.float32)
    fitted = torch.tensor([1.0, 0.0], requires_grad=True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = functional.binary_cross_entropy_with_logits(answers * fitted[0] + fitted[1], complete)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        network.slope.copy_(fitted[0])
        network.offset.copy_(fitted[1])


def last_logits(network: BoundaryNetwork, examples: Sequence[Example]) -> torch.Tensor:
    """Return the network's raw answer at the end of each text, float32 [n]."""
    tokens = torch.from_numpy(np.stack([TOKENISER.features_of(example.text) for example in examples])).to(torch.int64)
    ends = (tokens[..., 3] > 0).sum(dim=1) - 1
    with torch.no_grad():
        parts = [
            network(tokens[start : start + _BATCH]).gather(1, ends[start : start + _BATCH, None])
            for start in range(0, len(tokens), _BATCH)
        ]
    return torch.cat(parts).squeeze(1)
