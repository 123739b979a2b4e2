"""The training loop. One core, a fixed number of steps: the same seed gives the same network on the same machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from export.sentence_boundary.network import BoundaryNetwork
from export.sentence_boundary.windows import Stream, draw

Progress = Callable[[int, float], None]
"""Told the step and the mean loss since the last call."""


@dataclass(frozen=True)
class Recipe:
    """How it is trained."""

    seed: int = 1
    steps: int = 2600
    windows: int = 32
    """Of each style in one step."""
    rate: float = 2e-3
    """Highest learning rate; it rises over the first 5 % of the steps and falls to nothing as a cosine does."""
    decay: float = 0.05
    """AdamW's weight decay of matrices; tables and vectors have none."""
    tell_every: int = 100


def train(streams: dict[str, Stream], recipe: Recipe, tell: Progress) -> tuple[BoundaryNetwork, float]:
    """Return the trained network, in eval mode, and the seconds it took."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = BoundaryNetwork().train()
    optimiser = _optimiser(network, recipe)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps, pct_start=0.05)
    began, losses = time.monotonic(), []
    for step in range(1, recipe.steps + 1):
        tokens, complete, weights = (torch.from_numpy(array) for array in draw(streams, recipe.windows, rng))
        optimiser.zero_grad(set_to_none=True)
        loss = functional.binary_cross_entropy_with_logits(network(tokens), complete, weights)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % recipe.tell_every == 0 or step == recipe.steps:
            tell(step, float(np.mean(losses)))
            losses.clear()
    return network.eval(), time.monotonic() - began


def _optimiser(network: BoundaryNetwork, recipe: Recipe) -> torch.optim.AdamW:
    matrices = [each for name, each in network.blocks.named_parameters() if each.ndim == 2]
    known = {id(each) for each in matrices}
    others = [each for each in network.parameters() if id(each) not in known]
    groups = [{"params": matrices, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
