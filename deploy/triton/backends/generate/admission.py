"""Refuses generations that cannot be run, before they could fail a whole batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine_kit.refusals import InvalidRequest

from .generation import DecodingOptions, GenerationRequest
from .graphs import Graphs
from .source_batch import SourceEncoder


def check_request(request: GenerationRequest, graphs: Graphs, encoder: SourceEncoder) -> None:
    """Raise InvalidRequest for what the model cannot do; the message says which limit."""
    settings = graphs.settings
    _check_options(request.options, settings.vocab_size)
    _check_tokens("the prompt", request.prompt, settings.vocab_size)
    prefix = 0 if request.prefix is None else len(request.prefix)
    length = prefix + len(request.prompt)
    if not length:
        raise InvalidRequest("the prompt holds nothing")
    if length > settings.max_positions:
        raise InvalidRequest(f"the prompt takes {length} positions, the model has {settings.max_positions}")
    if request.options.max_new_tokens and length == settings.max_positions:
        raise InvalidRequest(f"the prompt takes all {length} positions of the model, none is left for a new token")
    if any(not -len(request.prompt) <= position < len(request.prompt) for position in request.prompt_logits):
        raise InvalidRequest(f"prompt_logits {request.prompt_logits} lie outside a prompt of {len(request.prompt)}")
    if request.options.hidden and "hidden" not in graphs.decoder.outputs:
        raise InvalidRequest("hidden is asked for, but the decoder does not give it")
    single = request.options.beams == request.options.hypotheses == 1
    if request.on_token is not None and not single:
        raise InvalidRequest("tokens can be streamed from a single sequence only: no beams, one hypothesis")
    _check_prefix(request, graphs)
    _check_recurring(request)
    _check_source(request, graphs, encoder)


def _check_options(options: DecodingOptions, vocab_size: int) -> None:
    limits = {
        "max_new_tokens": options.max_new_tokens >= 0,
        "min_new_tokens": options.min_new_tokens >= 0,
        "beams": options.beams >= 1,
        "hypotheses": options.hypotheses >= 1,
        "temperature": 0 <= options.temperature < math.inf,
        "top_k": options.top_k >= 0,
        "top_p": 0 < options.top_p <= 1,
        "repetition_penalty": 0 < options.repetition_penalty < math.inf,
        "length_penalty": math.isfinite(options.length_penalty),
        "seed": options.seed >= 0,
    }
    for name, fine in limits.items():
        if not fine:
            raise InvalidRequest(f"{name} is {getattr(options, name)}, which is out of range")
    if options.beams > 1 and (options.temperature > 0 or options.hidden):
        raise InvalidRequest("a beam search takes neither temperature nor hidden")
    if options.beams > 1 and options.hypotheses > options.beams:
        raise InvalidRequest(f"{options.hypotheses} hypotheses of {options.beams} beams cannot be had")
    if options.beams == 1 and options.hypotheses > 1 and options.temperature == 0:
        raise InvalidRequest("several hypotheses of greedy decoding would all be the same")
    for name in ("suppress", "begin_suppress", "seen"):
        _check_tokens(name, getattr(options, name), vocab_size)
    _check_tokens("forced", list(options.forced.values()), vocab_size)
    _check_tokens("eos", options.eos or (), vocab_size)


def _check_tokens(name: str, tokens: Sequence[int], vocab_size: int) -> None:
    if tokens and not 0 <= min(tokens) <= max(tokens) < vocab_size:
        raise InvalidRequest(f"{name} holds tokens from {min(tokens)} to {max(tokens)}, there are {vocab_size}")


def _check_prefix(request: GenerationRequest, graphs: Graphs) -> None:
    if request.prefix is None:
        return
    if graphs.embed is None:
        raise InvalidRequest("a prefix is given, but the model takes none")
    width = graphs.decoder.inputs["inputs_embeds"].shape[2]
    if request.prefix.ndim != 2 or (isinstance(width, int) and request.prefix.shape[1] != width):
        raise InvalidRequest(
            f"the prefix has the shape {list(request.prefix.shape)}, the model takes [length, {width}]"
        )


def _check_recurring(request: GenerationRequest) -> None:
    recurring, prefix = request.recurring, request.prefix
    if recurring is not None and (prefix is None or not 0 < recurring.positions <= len(prefix)):
        raise InvalidRequest(
            f"{recurring.positions} positions recur, the prefix has {0 if prefix is None else len(prefix)}"
        )


def _check_source(request: GenerationRequest, graphs: Graphs, encoder: SourceEncoder) -> None:
    if (request.source is not None) != (graphs.encoder is not None):
        raise InvalidRequest("a source goes with a model that has an encoder, neither alone")
    if request.source is not None and request.source.encoded is None:
        encoder.check(request.source)
