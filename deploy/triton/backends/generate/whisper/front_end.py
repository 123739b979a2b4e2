"""Serves the STT contract: AUDIO and LANGUAGE in; text, language and how sure it is out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from numpy.typing import NDArray

from generate.frontend import Emit, Job, Outputs, RequestTensors
from generate.generation import GenerationRequest, GenerationResult, Source

from .mel import FRAMES_PER_S, HOP, SAMPLE_RATE_HZ, log_mel
from .transcription import Transcriber, Window
from .verdict import Attempt, is_silence, is_unspeakable
from .voice import has_voice
from .windows import windows

UNDETERMINED = "und"
"""ISO 639-2 for a language that nobody can tell: of a recording in which nothing is said."""

FULL_SCALE_LIMIT = 2.0
"""Resamplers overshoot 1.0 a little; far beyond it the samples are integers, not -1..1."""

CONTEXT_STEP_FRAMES = FRAMES_PER_S
"""With `audio_context: actual` windows are rounded up to whole seconds, so that recordings of about one length still
decode together."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was recognised; the fields are the contract's."""

    text: str
    language: str
    no_speech_probability: float
    mean_logprob: float


Recognition: TypeAlias = "Generator[Sequence[GenerationRequest], list[GenerationResult], Found]"


class WhisperFrontEnd:
    """One version of a Whisper checkpoint. Fills the Protocol `FrontEnd`."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber
        self._section = transcriber.section
        self._options = transcriber.options

    def job(self, inputs: RequestTensors, emit: Emit) -> Job:
        """Recognise one recording."""
        candidates = self._section.candidates(inputs.text("LANGUAGE"))
        given = inputs.array("AUDIO")
        audio = checked_audio(given, self._options.max_audio_s)
        pieces = [piece for piece in windows(audio, self._section.window_frames * HOP) if self._worth_hearing(piece)]
        found = (yield from self._recognise(pieces, candidates)) if pieces else nothing(candidates)
        return answer(found, self._section.languages, batched=given.ndim == 2)

    def _recognise(self, pieces: Sequence[NDArray[np.float32]], candidates: Sequence[str]) -> Recognition:
        heard_windows = [Window(self._source(piece), len(piece) / SAMPLE_RATE_HZ) for piece in pieces]
        language, attempts = yield from self._transcriber.transcribe(heard_windows, candidates)
        heard = [attempt for attempt in attempts if self._is_speech(attempt)]
        counted = heard or attempts
        return Found(
            text=" ".join(attempt.text for attempt in heard if attempt.text),
            language=language,
            no_speech_probability=min(attempt.no_speech_probability for attempt in counted),
            mean_logprob=mean_logprob(counted),
        )

    def _is_speech(self, attempt: Attempt) -> bool:
        thresholds = self._options.thresholds
        return not is_silence(attempt, thresholds) and not is_unspeakable(attempt, thresholds)

    def _worth_hearing(self, piece: NDArray[np.float32]) -> bool:
        return has_voice(piece) if self._options.voice_gate else bool(piece.any())

    def _source(self, piece: NDArray[np.float32]) -> Source:
        frames = self._section.window_frames
        if not self._options.full_context:
            steps = -(-len(piece) // (HOP * CONTEXT_STEP_FRAMES))
            frames = min(frames, steps * CONTEXT_STEP_FRAMES)
        return Source({"mel": log_mel(piece, self._section.n_mels, frames)})


def checked_audio(audio: NDArray[np.float32], max_audio_s: float) -> NDArray[np.float32]:
    """Return the one recording [n] of the input ([n], or [1, n] with a batch axis); refuse what cannot be heard."""
    if audio.ndim == 2 and len(audio) != 1:
        raise InvalidRequest(f"AUDIO must hold one recording a request, it holds {len(audio)}")
    recording = audio.reshape(-1)
    if not recording.size:
        raise InvalidRequest("AUDIO is empty")
    if recording.size > max_audio_s * SAMPLE_RATE_HZ:
        raise InvalidRequest(
            f"AUDIO lasts {recording.size / SAMPLE_RATE_HZ:.2f} s, at most {max_audio_s:g} s are taken"
        )
    require_finite(recording, "AUDIO")
    peak = float(np.abs(recording).max())
    if peak > FULL_SCALE_LIMIT:
        raise InvalidRequest(f"AUDIO must lie in -1..1, its peak is {peak:g}")
    return recording


def mean_logprob(attempts: list[Attempt]) -> float:
    """Return the mean log-probability over several windows; each counts by its tokens, end token included."""
    counts = [len(attempt.tokens) + 1 for attempt in attempts]
    return float(np.average([attempt.mean_logprob for attempt in attempts], weights=counts))


def nothing(candidates: Sequence[str]) -> Found:
    """Make the answer for a recording in which there is no voice."""
    language = candidates[0] if len(candidates) == 1 else UNDETERMINED
    return Found(text="", language=language, no_speech_probability=1.0, mean_logprob=0.0)


def answer(found: Found, languages: Iterable[str], *, batched: bool) -> Outputs:
    """Make the response's tensors, [1] each, or [1, 1] with a batch axis.

    LANGUAGES says what this version knows, for whoever asks what it can hear.
    """
    shape = (1, 1) if batched else (1,)
    texts = {"TEXT": found.text, "LANGUAGE": found.language, "LANGUAGES": " ".join(sorted(languages))}
    numbers = {"NO_SPEECH_PROBABILITY": found.no_speech_probability, "MEAN_LOGPROB": found.mean_logprob}
    return {
        **{name: np.array([text.encode()], np.object_).reshape(shape) for name, text in texts.items()},
        **{name: np.full(shape, number, np.float32) for name, number in numbers.items()},
    }
