"""What a front-end asks the engine for, and what it gets. Needs nothing but numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class LogitsRule(Protocol):
    """A rule of a family's own, for what DecodingOptions cannot say. It must look at its own row only."""

    def __call__(self, generated: Sequence[int], logits: NDArray[np.float32]) -> None:
        """Change `logits` [vocab] in place (-inf forbids a token); `generated`: the row's new tokens so far."""


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How tokens are chosen. The rules act in the order of transformers' logits processors."""

    max_new_tokens: int
    """At most this many, the end token included. 0: only the prompt is read (see GenerationRequest.prompt_logits).
    The model's max_positions limits it further."""
    min_new_tokens: int = 0
    """The end token is forbidden before so many tokens were made."""
    beams: int = 1
    """1: greedy or sampling. More: beam search as transformers does it (temperature must be 0)."""
    hypotheses: int = 1
    """Sequences returned: of a beam search at most `beams`; of sampling so many independent samples (best of n)."""
    length_penalty: float = 1.0
    """Beam search: a finished sequence counts sum of log-probabilities / length ** length_penalty."""
    early_stopping: bool | None = False
    """Beam search, transformers' early_stopping: True ends with the first `beams` finished sequences, False when the
    best running one cannot win at its present length, None ("never") when it could not at any length."""
    temperature: float = 0.0
    """0: the most probable token (greedy). Above: a draw from softmax(logits / temperature)."""
    top_k: int = 0
    """Draw among the k most probable; 0: all."""
    top_p: float = 1.0
    """Draw among the most probable whose probabilities together reach top_p; 1: all."""
    repetition_penalty: float = 1.0
    """Logits of tokens seen (prompt included) are divided by it if positive, else multiplied."""
    seen: tuple[int, ...] = ()
    """Tokens that count as seen from the start beside those of the prompt."""
    seed: int = 0
    """Of the draws. The same request with the same seed draws the same tokens, whatever it is batched with."""
    suppress: tuple[int, ...] = ()
    """Tokens that are never chosen."""
    begin_suppress: tuple[int, ...] = ()
    """Tokens that are not chosen as the first new one."""
    forced: Mapping[int, int] = field(default_factory=dict)
    """Index of a new token (0: the first) -> the token it must be."""
    forced_eos: bool = False
    """The last token that max_new_tokens allows must be the end token (transformers' forced_eos_token_id)."""
    eos: tuple[int, ...] | None = None
    """End tokens; None: those of generation.json. (): there is none."""
    rules: tuple[LogitsRule, ...] = ()
    """Applied last, before temperature."""
    logprobs: bool = False
    """Return each token's log-probability: log softmax of the logits after the rules, before temperature, top_k and
    top_p. Costs a softmax over the vocabulary a token. A beam search has them anyway."""
    hidden: bool = False
    """Return the decoder's `hidden` output at the position that each new token was chosen from."""


class Source:
    """What the encoder reads, for one row: compared by identity, encoded once however many requests name it.

    The encoder's output (the cross-attention keys and values) stays in ONNX Runtime for as long as this object lives.
    Give the requests of one job the same Source: Whisper's language detection, transcription and fallbacks cost one
    encoder run.
    """

    __slots__ = ("__weakref__", "encoded", "inputs")

    def __init__(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Take the encoder's inputs by name, without batch axis: `mel` FP32 [n_mels, frames], `input_ids` INT64 [S].

        Inputs of different lengths are padded and masked if the graphs take `encoder_mask` (which the engine makes: do
        not give it); otherwise only equal shapes run together.
        """
        self.inputs = dict(inputs)
        self.encoded: Any = None  # the engine's own: where the encoder's output for this row is


class Finish(Enum):
    """Why a sequence ended."""

    EOS = "eos"
    LENGTH = "length"  # max_new_tokens or max_positions
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a stream, as it is made."""

    index: int
    """0: the first new one."""
    token: int
    logprob: float
    """NaN without DecodingOptions.logprobs."""
    hidden: NDArray[np.float32] | None = None
    """[width], the decoder's `hidden` where the token was chosen; None without DecodingOptions.hidden."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """Positions at the beginning of a prefix that are read once for all requests that name them (caches in slots)."""

    key: str
    """Equal keys, equal embeddings."""
    positions: int


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One generation: one source (or none), one prompt, one or several sequences out."""

    options: DecodingOptions
    prompt: tuple[int, ...]
    """Decoder tokens that are there before the first new one, start token included: at least one token, unless there is
    a `prefix`."""
    source: Source | None = None
    """Encoder-decoder models: required."""
    prefix: NDArray[np.float32] | None = None
    """Decoder-only models with embed.onnx: conditioning [length, width], before the prompt."""
    recurring: Recurring | None = None
    """The beginning of `prefix` that other requests begin with as well."""
    prompt_logits: tuple[int, ...] = ()
    """Positions of the prompt (0: the first; -1: the last) whose raw logits the result shall hold: what the model says
    after that token, before any rule."""
    on_token: Callable[[Token], None] | None = None
    """Called for every new token as it is made, the end token included. Greedy and sampling with one hypothesis only.
    Must return at once; an error raised fails this request."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One generated sequence."""

    tokens: tuple[int, ...]
    """New tokens, without the prompt; the end token is the last if it was generated."""
    score: float
    """Beam search: the penalised score. Otherwise the sum of logprobs (NaN without DecodingOptions.logprobs)."""
    finish: Finish
    logprobs: NDArray[np.float32] | None
    """[len(tokens)], natural logarithm, or None."""
    hidden: NDArray[np.float32] | None = None
    """[len(tokens), width], or None."""

    @property
    def text_tokens(self) -> tuple[int, ...]:
        """`tokens` without the end token."""
        return self.tokens[:-1] if self.finish is Finish.EOS else self.tokens


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """What became of one GenerationRequest."""

    hypotheses: tuple[Hypothesis, ...]
    """Best first. With max_new_tokens 0: one without tokens."""
    prompt_logits: NDArray[np.float32]
    """[len(request.prompt_logits), vocab], float32, raw."""

    @property
    def best(self) -> Hypothesis:
        """The first."""
        return self.hypotheses[0]
