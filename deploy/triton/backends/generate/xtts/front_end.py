"""Serves the TTS contract: TEXT, LANGUAGE, SPEAKER_AUDIO and SPEED in; a stream of sound out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from engine_kit.refusals import InvalidRequest
from numpy.typing import NDArray

from generate.folder import VersionFolder
from generate.frontend import Emit, Job, Outputs, RequestTensors
from generate.generation import DecodingOptions, Finish, GenerationRequest, GenerationResult, Recurring, Token

from .guard import bounds_of
from .interp import Interpolation, interpolation
from .joined import Chunk, Joined
from .options import XttsOptions, read_options, read_sampling
from .section import XttsSection, read_section
from .text import XttsText
from .vocoder import Speech, Vocoder
from .voice import Voice, Voices, text_embeddings

_NO_CODE = 1
"""The original's prompt holds this code in the place of every position before the first code, so its repetition penalty
has always seen it (TTS/tts/layers/xtts/gpt.py, `compute_embeddings`)."""
_ATTEMPTS = 2

Speaking = Generator[Sequence[GenerationRequest], list[GenerationResult], None]


@dataclass(frozen=True)
class Order:
    """What one request wants."""

    pieces: Sequence[str]
    language: str
    voice: Voice
    speed: float


class XttsFrontEnd:
    """One version of an XTTS-v2 checkpoint. Fills the Protocol `FrontEnd`."""

    def __init__(self, folder: VersionFolder, parameters: Mapping[str, str]) -> None:
        self._section: XttsSection = read_section(folder.section, folder.settings.vocab_size)
        self._options: XttsOptions = read_options(parameters)
        sampling = read_sampling(parameters, folder.settings.defaults)
        self._sampling = replace(sampling, seen=(_NO_CODE,))
        self._eos = folder.settings.eos
        self._text = XttsText(folder.file("vocab.json"), self._section.languages, self._section.max_text_tokens)
        self._embed_text = folder.graph("text.onnx")
        self._voices = Voices(folder, self._section, self._options)
        first, later = map(self._interpolation(1.0).settled, (self._options.chunk_codes, self._options.later_codes))
        self._vocoder = Vocoder(folder.graph("vocoder.onnx", accelerated=True), self._section.hop, first, later)
        width = text_embeddings(self._embed_text, (self._section.text_start, self._section.text_stop)).shape[1]
        self._vocoder.prepare(width, self._section.embedding)

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        """Speak one text."""
        order = self._read(inputs)
        joined = Joined(lambda chunk: emit(self._response(chunk)), self._section.sample_rate_hz)
        for piece in order.pieces:
            yield from self._speak(piece, order, joined)
        return {}

    def _read(self, inputs: RequestTensors) -> Order:
        text = inputs.text("TEXT")
        if len(text) > self._options.max_text_chars:
            raise InvalidRequest(f"TEXT has {len(text)} characters, at most {self._options.max_text_chars} are taken")
        language = inputs.text("LANGUAGE")
        pieces = self._text.pieces(text, language)
        slowest, fastest = self._options.speed_range
        speed = inputs.number("SPEED", 1.0)
        if not slowest <= speed <= fastest:
            raise InvalidRequest(f"SPEED must lie in {slowest:g}..{fastest:g}, it is {speed:g}")
        return Order(pieces, language, self._voices.of(inputs.array("SPEAKER_AUDIO").reshape(-1)), speed)

    def _speak(self, piece: str, order: Order, joined: Joined) -> Speaking:
        """Speak a piece; once more if that ran away. What the second attempt said stays, cut where it must end."""
        prefix = self._prefix(piece, order)
        bounds = bounds_of(piece, self._options.guard, self._section.codes_per_s)
        options = self._drawn(bounds.most_codes)
        seed = self._seed(piece, order)
        for attempt in range(_ATTEMPTS):
            speech = Speech(self._vocoder, self._interpolation(order.speed), order.voice.embedding)
            [result] = yield [
                GenerationRequest(
                    replace(options, seed=seed + attempt),
                    prompt=(self._section.start_audio,),
                    prefix=prefix,
                    recurring=Recurring(order.voice.key, self._section.latents),
                    on_token=_listener(speech, joined),
                )
            ]
            ended = result.best.finish is Finish.EOS
            fault = "" if self._options.force_codes else bounds.fault(len(result.best.tokens), ended=ended)
            if not fault or attempt == _ATTEMPTS - 1:
                break
            joined.restart(f"spoken again: {fault}")
        for samples in speech.finish():
            joined.say(samples)
        kept = "" if not fault else f"kept: {fault}" if ended else f"cut: {fault}"
        joined.end(kept, cut=bool(fault) and not ended)

    def _prefix(self, piece: str, order: Order) -> NDArray[np.float32]:
        section = self._section
        tokens = self._text.tokens(piece, order.language)
        embedded = text_embeddings(self._embed_text, (section.text_start, *tokens, section.text_stop))
        return np.concatenate([order.voice.latents, embedded])

    def _drawn(self, most_codes: int) -> DecodingOptions:
        if self._options.force_codes:
            return replace(self._sampling, max_new_tokens=self._options.force_codes, eos=(), suppress=self._eos)
        return replace(self._sampling, max_new_tokens=min(self._sampling.max_new_tokens, most_codes))

    def _seed(self, piece: str, order: Order) -> int:
        """The same request is spoken alike, wherever and whenever it is repeated."""
        said = "\0".join((str(self._options.seed), order.language, piece, order.voice.key))
        return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=6).digest(), "big")

    def _interpolation(self, speed: float) -> Interpolation:
        section = self._section
        rates = (section.input_sample_rate_hz, section.sample_rate_hz)
        return interpolation(speed, section.code_stride, section.hop, rates)

    def _response(self, chunk: Chunk) -> Outputs:
        return {
            "AUDIO": np.clip(chunk.samples, -1.0, 1.0),
            "SAMPLE_RATE_HZ": np.array([self._section.sample_rate_hz], np.int32),
            "REMARK": chunk.remark,
            "RESTARTS": np.array([chunk.restarts]),
        }


def _listener(speech: Speech, joined: Joined) -> Callable[[Token], None]:
    def hear(token: Token) -> None:
        assert token.hidden is not None
        for samples in speech.hear(token.hidden):
            joined.say(samples)

    return hear


def open_front_end(folder: VersionFolder, parameters: Mapping[str, str]) -> XttsFrontEnd:
    """Make the front-end; BadFolder or BadParameter, which fail the load, say what does not fit."""
    return XttsFrontEnd(folder, parameters)
