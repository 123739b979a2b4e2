"""What the decode loop asks of whoever chooses tokens: greedy and sampled rows (rows.py), beams (beams.py)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .generation import DecodingOptions, Finish, GenerationRequest, Hypothesis
from .rules import Rules


class Choice(NamedTuple):
    """What the rows of one generation go on with."""

    tokens: list[int]
    """One for each row."""
    origins: list[int] | None
    """For each row the row (of this generation) whose cache it goes on from; None: each from its own."""


class Chooser(Protocol):
    """One generation's choice of tokens. `rows`: how many rows it decodes in, from its second choice on."""

    rows: int

    def choose(self, logits: NDArray[np.float32], hidden: NDArray[np.float32] | None) -> Choice | None:
        """Choose by `logits` [rows, vocab], which it may overwrite; at first [1, vocab], of the prompt's last token.

        `hidden` [rows, width] likewise. None: the generation is finished.
        """

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Return what has been generated, best first; unfinished sequences count as cancelled."""


class NoToken(ValueError):
    """The rules (or a graph that gives NaN) leave no token to choose."""

    def __init__(self) -> None:
        super().__init__("no token can be chosen: the rules forbid all, or the logits are not numbers")


class Plan(NamedTuple):
    """A request's options with the model's limits worked in."""

    options: DecodingOptions
    eos: frozenset[int]
    max_new_tokens: int
    rules: Rules


def plan(request: GenerationRequest, default_eos: tuple[int, ...], max_positions: int) -> Plan:
    """Work the model's limits in; see `check_request` for what must have been refused before."""
    options = request.options
    eos = default_eos if options.eos is None else options.eos
    prefix = 0 if request.prefix is None else len(request.prefix)
    most = max(0, min(options.max_new_tokens, max_positions - prefix - len(request.prompt)))
    return Plan(options, frozenset(eos), most, Rules(options, request.prompt, eos, most))


NOTHING = Hypothesis((), 0.0, Finish.LENGTH, None)
"""The hypothesis of a request for no tokens."""
