"""The task contracts: what the orchestrator calls, whichever Triton model fulfils them.

A *task* is what is done (speech to text, …); an *engine* is a Triton model that fulfils the task's contract.
The classes here are Protocols and plain data: no gRPC, so fakes and other transports can fill them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

STT_SAMPLE_RATE_HZ = 16_000
"""Sample rate of the STT task's `AUDIO`."""

SPEAKER_SAMPLE_RATE_HZ = 22_050
"""Sample rate of the TTS task's `SPEAKER_AUDIO`."""

Float32Array = NDArray[np.float32]
UInt8Array = NDArray[np.uint8]


class Task(StrEnum):
    """The tasks an engine can be configured for; the value is the settings' and the report's name."""

    STT = "stt"
    MT = "mt"
    TTS = "tts"
    FACES = "faces"
    LIPS = "lips"
    BOUNDARY = "boundary"
    """The only task that may have no engine: punctuation and pauses decide then."""


@dataclass(frozen=True, slots=True)
class LanguagePair:
    """A direction of translation, both ISO 639-1 codes ("en", "es")."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


@dataclass(frozen=True, slots=True)
class Transcription:
    """What the STT task heard."""

    text: str
    """Plain text; empty when nothing was understood."""
    language: str
    """ISO 639-1 code, detected or as asked; "" where there was nothing to detect it by."""
    no_speech_probability: float
    """0..1."""
    mean_logprob: float
    """Mean natural-log probability of a token; 0 is certain, below about -1 is doubtful."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """One piece of a TTS stream."""

    samples: Float32Array
    """Shape [n], mono, -1..1."""
    sample_rate_hz: int
    remark: str = ""
    """What the engine says of its own work: a short English sentence, "" where there is nothing to say."""
    restarts: bool = False
    """The stream begins anew with these samples: what came before is to be forgotten."""


@dataclass(frozen=True, slots=True)
class MelSpec:
    """The mel spectrogram that a lips engine's weights were trained with (its config `parameters`, prefix `mel_`)."""

    sample_rate_hz: int = 16_000
    n_fft: int = 800
    hop_length: int = 200
    win_length: int = 800
    n_mels: int = 80
    fmin_hz: float = 55.0
    fmax_hz: float = 7600.0
    preemphasis: float = 0.97
    ref_level_db: float = 20.0
    min_level_db: float = -100.0
    max_abs_value: float = 4.0
    """The normalised mel lies in -max_abs_value..+max_abs_value; digital silence is -max_abs_value."""
    steps: int = 16
    """Columns of one window."""

    @property
    def steps_per_s(self) -> float:
        """Mel columns per second (80 for the published Wav2Lip weights)."""
        return self.sample_rate_hz / self.hop_length


@dataclass(frozen=True, slots=True)
class LipsProfile:
    """What a lips engine needs of its caller; read from the `parameters` of its config.pbtxt."""

    face_size_px: int
    """Width and height of the square crops."""
    mel: MelSpec
    crop_margins: tuple[float, float, float, float]
    """Added to the face box before the crop is cut: left, top, right, bottom, as fractions of the box's size."""
    mouth_region: tuple[float, float, float, float]
    """x1, y1, x2, y2 of what the engine may change, as fractions of the crop. Nothing outside it is ever pasted."""
    blend: Literal["residual", "replace"]
    """How the answer is pasted. `residual`: source + (answer - crop), which keeps the source's own sharpness and
    leaves the picture bit for bit where the engine changed nothing. `replace`: the answer itself, feathered, in the
    picture's colours, with the picture's detail where both show the same."""
    max_batch_size: int
    output: str = "FACES"
    """Name of the output. An engine that is one graph states another: a graph's tensors have different names, so its
    output cannot be called what its input is called (nor can an ensemble's)."""
    crop_fit: Literal["square", "stretch"] = "square"
    """How the box with its margins becomes a square crop. `square`: the shorter side shows more of the picture.
    `stretch`: the box itself, its shorter side stretched, for weights that were trained on such crops."""


class SttEngine(Protocol):
    """Speech to text."""

    def transcribe(self, audio: Float32Array, language: str = "", *, traceparent: str = "") -> Transcription:
        """Transcribe mono 16 kHz audio in -1..1, shape [n]; `language` "" means detect, "en es" one of these."""
        ...


class MtEngine(Protocol):
    """Machine translation."""

    def translate(self, text: str, source: str, target: str, *, traceparent: str = "") -> str:
        """Translate `text`; both languages ISO 639-1."""
        ...

    def language_pairs(self) -> Sequence[LanguagePair]:
        """Return the directions the engine states in its config (parameter `language_pairs`: "en-es es-en")."""
        ...


@dataclass(frozen=True, slots=True)
class SpeechPace:
    """How fast a TTS engine speaks, as its config states it."""

    speed_range: tuple[float, float] | None = None
    """Lowest and highest SPEED (1 = natural) that it keeps to; None: it states none, so only 1 is asked for."""
    letters_per_s: Mapping[str, float] = field(default_factory=dict)
    """ISO 639-1 code -> letters a second at SPEED 1, as measured (orchestrator/timing/pace.py says how they count)."""


class TtsEngine(Protocol):
    """Text to speech."""

    def speak(
        self,
        text: str,
        language: str,
        speaker_audio: Float32Array | None = None,
        speed: float = 1.0,
        *,
        traceparent: str = "",
    ) -> Iterator[AudioChunk]:
        """Yield chunks as they are made. `speaker_audio`: mono 22.05 kHz. Closing the iterator cancels the work."""
        ...

    def languages(self) -> Sequence[str]:
        """Return the ISO 639-1 codes the engine states in its config (parameter `languages`: "en es")."""
        ...

    def pace(self) -> SpeechPace:
        """Return what the engine states about its speed (`speed_range`: "0.5 2.0", `letters_per_s`: "en 15.8")."""
        ...

    def clones_voice(self) -> bool:
        """Tell whether the engine speaks as `speaker_audio` does (`clones_voice`: "true"); else that is of no use."""
        ...

    def max_text_chars(self) -> int | None:
        """Return how many characters one `text` may have (`max_text_chars`: "5000"); None: it states no limit."""
        ...


class FacesEngine(Protocol):
    """Face detection."""

    @property
    def short_side_px(self) -> int | None:
        """Short side, in pixels, that the engine wants its frames scaled to; None: it states none."""
        ...

    def detect(self, frames: UInt8Array, *, traceparent: str = "") -> list[Float32Array]:
        """Find faces in RGB `frames` [n, h, w, 3]; per frame an array [k, 5]: x1 y1 x2 y2 in pixels, score in 0..1.

        On the wire every item of a batch has as many rows; rows with score 0 are padding and are dropped here.
        """
        ...


class LipsEngine(Protocol):
    """Lip synchronisation."""

    @property
    def profile(self) -> LipsProfile:
        """What the engine states about itself."""
        ...

    def move(self, faces: UInt8Array, mels: Float32Array, *, traceparent: str = "") -> UInt8Array:
        """Move the mouths of RGB crops [n, s, s, 3] to mel windows [n, n_mels, steps]; returns crops of that shape."""
        ...


class BoundaryEngine(Protocol):
    """Sentence boundaries: is what was heard so far a whole sentence?"""

    def complete(self, text: str, language: str, *, traceparent: str = "") -> float:
        """Return how sure the engine is, 0..1, that `text` ends where a sentence ends; 0 for a text without words.

        `text` is what was heard so far, punctuated or not, one sentence or several; `language` is ISO 639-1 and one of
        `languages()`, anything else is refused.
        """
        ...

    def languages(self) -> Sequence[str]:
        """Return the ISO 639-1 codes that the engine was trained for (config parameter `languages`: "en es")."""
        ...


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One model as Triton's repository index tells it."""

    name: str
    version: str
    """"" when no version is loaded."""
    ready: bool
    reason: str
    """Why it is not ready; "" otherwise."""
