"""Engines without Triton: they fill the Protocols of client/contracts.py, answer as told and record their calls.

Each takes `failures`: errors raised by the first calls, one a call, before it starts to answer; so
`FakeStt(failures=[EngineUnavailable("stt", "away")])` fails once and then works. `calls` lists what was asked, failed
calls included.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from client.contracts import (
    AudioChunk,
    BoundaryEngine,
    FacesEngine,
    Float32Array,
    LanguagePair,
    LipsEngine,
    LipsProfile,
    MelSpec,
    MtEngine,
    SpeechPace,
    SttEngine,
    Transcription,
    TtsEngine,
    UInt8Array,
)
from client.errors import EngineRefused

FAKE_TTS_SAMPLE_RATE_HZ = 24_000

FAKE_PROFILE = LipsProfile(
    face_size_px=96,
    mel=MelSpec(),
    crop_margins=(0.0, 0.0, 0.0, 0.1),
    mouth_region=(0.2, 0.55, 0.8, 0.95),
    blend="residual",
    max_batch_size=8,
)


class _Failing:
    """Raises the errors it was given, one a call."""

    def __init__(self, failures: Sequence[Exception]) -> None:
        self._failures = list(failures)

    def _fail_if_told(self) -> None:
        if self._failures:
            raise self._failures.pop(0)


@dataclass(frozen=True)
class SttCall:
    audio: Float32Array
    language: str
    traceparent: str


class FakeStt(_Failing):
    """Hears `texts` one after the other, then the last one for ever; or whatever `hear(audio, language)` says."""

    def __init__(
        self,
        *texts: str,
        hear: Callable[[Float32Array, str], Transcription] | None = None,
        failures: Sequence[Exception] = (),
    ) -> None:
        super().__init__(failures)
        self._texts = list(texts) or ["hello world"]
        self._hear = hear
        self.calls: list[SttCall] = []

    def transcribe(self, audio: Float32Array, language: str = "", *, traceparent: str = "") -> Transcription:
        self.calls.append(SttCall(audio, language, traceparent))
        self._fail_if_told()
        if self._hear is not None:
            return self._hear(audio, language)
        text = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        return Transcription(text=text, language=language or "en", no_speech_probability=0.01, mean_logprob=-0.1)


@dataclass(frozen=True)
class MtCall:
    text: str
    source: str
    target: str
    traceparent: str


class FakeMt(_Failing):
    """Translates by `dictionary`; a text that is not in it becomes "<text> (<target>)"."""

    def __init__(
        self,
        dictionary: dict[str, str] | None = None,
        pairs: Sequence[LanguagePair] = (LanguagePair("en", "es"), LanguagePair("es", "en")),
        failures: Sequence[Exception] = (),
    ) -> None:
        super().__init__(failures)
        self._dictionary = dict(dictionary or {})
        self._pairs = tuple(pairs)
        self.calls: list[MtCall] = []

    def translate(self, text: str, source: str, target: str, *, traceparent: str = "") -> str:
        self.calls.append(MtCall(text, source, target, traceparent))
        self._fail_if_told()
        return self._dictionary.get(text, f"{text} ({target})")

    def language_pairs(self) -> Sequence[LanguagePair]:
        return self._pairs


@dataclass
class TtsCall:
    text: str
    language: str
    speaker_audio: Float32Array | None
    speed: float
    traceparent: str
    closed_early: bool = field(default=False)
    """The caller closed the stream before its last chunk."""


class FakeTts(_Failing):
    """Speaks a 220 Hz tone of `seconds_per_character` a character (faster with `speed`), `chunk_s` at a time.
    It states no pace unless told, so that speed 1 is asked for, no limit of its texts, and that it clones no voice.

    `fail_after_chunks`: (n, error) raises the error after n chunks of every stream. `remark`: of every last chunk.
    """

    def __init__(
        self,
        seconds_per_character: float = 0.05,
        chunk_s: float = 0.2,
        sample_rate_hz: int = FAKE_TTS_SAMPLE_RATE_HZ,
        languages: Sequence[str] = ("en", "es"),
        failures: Sequence[Exception] = (),
        fail_after_chunks: tuple[int, Exception] | None = None,
        pace: SpeechPace | None = None,
        clones: bool = False,
        max_text_chars: int | None = None,
        remark: str = "",
    ) -> None:
        super().__init__(failures)
        self._clones, self._max_text_chars, self._remark = clones, max_text_chars, remark
        self._seconds_per_character = seconds_per_character
        self._chunk_s = chunk_s
        self._sample_rate_hz = sample_rate_hz
        self._languages = tuple(languages)
        self._fail_after_chunks = fail_after_chunks
        self._pace = pace or SpeechPace()
        self.calls: list[TtsCall] = []

    def speak(
        self,
        text: str,
        language: str,
        speaker_audio: Float32Array | None = None,
        speed: float = 1.0,
        *,
        traceparent: str = "",
    ) -> Iterator[AudioChunk]:
        call = TtsCall(text, language, speaker_audio, speed, traceparent)
        self.calls.append(call)
        self._fail_if_told()
        return self._stream(call)

    def languages(self) -> Sequence[str]:
        return self._languages

    def pace(self) -> SpeechPace:
        return self._pace

    def clones_voice(self) -> bool:
        return self._clones

    def max_text_chars(self) -> int | None:
        return self._max_text_chars

    def _stream(self, call: TtsCall) -> Iterator[AudioChunk]:
        rate = self._sample_rate_hz
        count = round(len(call.text) * self._seconds_per_character / call.speed * rate)
        tone = (0.3 * np.sin(2 * np.pi * 220 * np.arange(count) / rate)).astype(np.float32)
        step = round(self._chunk_s * rate)
        try:
            for index, start in enumerate(range(0, count, step)):
                if self._fail_after_chunks and index == self._fail_after_chunks[0]:
                    raise self._fail_after_chunks[1]
                yield AudioChunk(tone[start : start + step], rate, self._remark if start + step >= count else "")
        except GeneratorExit:
            call.closed_early = True
            raise


@dataclass(frozen=True)
class FacesCall:
    shape: tuple[int, ...]
    traceparent: str


class FakeFaces(_Failing):
    """Finds what `look(frame)` says (array [k, 5]); by default one face in the middle, half as high as the frame."""

    def __init__(
        self,
        look: Callable[[UInt8Array], Float32Array] | None = None,
        failures: Sequence[Exception] = (),
        short_side_px: int | None = None,
    ) -> None:
        super().__init__(failures)
        self._look = look or centred_face
        self.short_side_px = short_side_px
        self.calls: list[FacesCall] = []

    def detect(self, frames: UInt8Array, *, traceparent: str = "") -> list[Float32Array]:
        assert frames.ndim == 4 and frames.shape[3] == 3 and frames.dtype == np.uint8, (frames.shape, frames.dtype)
        self.calls.append(FacesCall(frames.shape, traceparent))
        self._fail_if_told()
        return [self._look(frame) for frame in frames]


def centred_face(frame: UInt8Array) -> Float32Array:
    """One square box in the middle of the frame, half as high as the frame, score 0.9."""
    height, width = frame.shape[:2]
    half = height / 4
    x, y = width / 2, height / 2
    return np.array([[x - half, y - half, x + half, y + half, 0.9]], np.float32)


def no_face(frame: UInt8Array) -> Float32Array:
    """For FakeFaces(look=no_face)."""
    return np.zeros((0, 5), np.float32)


@dataclass(frozen=True)
class LipsCall:
    faces: UInt8Array
    mels: Float32Array
    traceparent: str


class FakeLips(_Failing):
    """Answers `paint(faces, mels)`; by default it brightens the mouth region of every crop whose mel is not silent."""

    def __init__(
        self,
        profile: LipsProfile = FAKE_PROFILE,
        paint: Callable[[UInt8Array, Float32Array], UInt8Array] | None = None,
        failures: Sequence[Exception] = (),
    ) -> None:
        super().__init__(failures)
        self._profile = profile
        self._paint = paint or self._brighten
        self.calls: list[LipsCall] = []

    @property
    def profile(self) -> LipsProfile:
        return self._profile

    def move(self, faces: UInt8Array, mels: Float32Array, *, traceparent: str = "") -> UInt8Array:
        size, mel = self._profile.face_size_px, self._profile.mel
        assert faces.dtype == np.uint8 and faces.shape[1:] == (size, size, 3), (faces.shape, faces.dtype)
        assert mels.dtype == np.float32 and mels.shape == (len(faces), mel.n_mels, mel.steps), (mels.shape, mels.dtype)
        self.calls.append(LipsCall(faces.copy(), mels.copy(), traceparent))
        self._fail_if_told()
        return self._paint(faces, mels)

    def _brighten(self, faces: UInt8Array, mels: Float32Array) -> UInt8Array:
        x1, y1, x2, y2 = (round(part * self._profile.face_size_px) for part in self._profile.mouth_region)
        speaking = mels.max(axis=(1, 2)) > -self._profile.mel.max_abs_value
        moved = faces.astype(np.int16)
        moved[speaking, y1:y2, x1:x2] += 40
        return np.clip(moved, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class BoundaryCall:
    text: str
    language: str
    traceparent: str


class FakeBoundary(_Failing):
    """Gives `scores[text]`; a text that is not in it scores what `judge(text)` says: 1 where it ends in . ? or !"""

    def __init__(
        self,
        scores: Mapping[str, float] | None = None,
        judge: Callable[[str], float] | None = None,
        languages: Sequence[str] = ("en", "es"),
        failures: Sequence[Exception] = (),
    ) -> None:
        super().__init__(failures)
        self._scores = dict(scores or {})
        self._judge = judge or (lambda text: float(text.rstrip().endswith((".", "?", "!"))))
        self._languages = tuple(languages)
        self.calls: list[BoundaryCall] = []

    def complete(self, text: str, language: str, *, traceparent: str = "") -> float:
        self.calls.append(BoundaryCall(text, language, traceparent))
        self._fail_if_told()
        if language not in self._languages:
            raise EngineRefused("boundary", f"language {language!r} is not served")
        return self._scores[text] if text in self._scores else self._judge(text)

    def languages(self) -> Sequence[str]:
        return self._languages


# mypy checks here that the fakes fill the Protocols.
_STT: SttEngine = FakeStt()
_MT: MtEngine = FakeMt()
_TTS: TtsEngine = FakeTts()
_FACES: FacesEngine = FakeFaces()
_LIPS: LipsEngine = FakeLips()
_BOUNDARY: BoundaryEngine = FakeBoundary()
