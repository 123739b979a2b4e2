"""What an engine states about itself in the `parameters` of its config.pbtxt."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from client.contracts import LanguagePair, LipsProfile, MelSpec, SpeechPace
from client.errors import ContractViolation
from client.exported import export_command
from client.pair_models import LANGUAGE_PAIRS, PAIR_MODELS

T = TypeVar("T")

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BLENDS = ("residual", "replace")
_CROP_FITS = ("square", "stretch")


@dataclass(frozen=True)
class ModelConfig:
    """The part of a Triton model configuration that the contracts use."""

    model: str
    max_batch_size: int
    """0: requests have no batch axis."""
    parameters: Mapping[str, str]

    def required_batch_size(self) -> int:
        """Return max_batch_size of a task that is called in batches; ContractViolation when it is 0."""
        if self.max_batch_size < 1:
            raise ContractViolation(self.model, "max_batch_size must be at least 1: its task is called in batches")
        return self.max_batch_size

    def languages(self) -> tuple[str, ...]:
        """Parameter `languages`: ISO 639-1 codes, separated by spaces."""
        return self._read("languages", _languages)

    def language_pairs(self) -> tuple[LanguagePair, ...]:
        """Parameter `language_pairs`: "en-es es-en". Of an engine that routes: those of its models that are loaded."""
        if LANGUAGE_PAIRS not in self.parameters and PAIR_MODELS in self.parameters:
            raise ContractViolation(
                self.model,
                f"no model of a pair ({self.parameters[PAIR_MODELS]}) is loaded: {export_command(self.model)}",
            )
        return self._read(LANGUAGE_PAIRS, _language_pairs)

    def speech_pace(self) -> SpeechPace:
        """Parameters `speed_range` ("0.5 2.0") and `letters_per_s` ("en 15.8 es 15.3"); both may be left out."""
        return SpeechPace(
            self._read("speed_range", _speed_range) if "speed_range" in self.parameters else None,
            self._read("letters_per_s", _letters_per_s) if "letters_per_s" in self.parameters else {},
        )

    def clones_voice(self) -> bool:
        """Parameter `clones_voice`: a TTS engine that speaks as SPEAKER_AUDIO does; False when it states nothing."""
        return "clones_voice" in self.parameters and self._read("clones_voice", _switch)

    def max_text_chars(self) -> int | None:
        """Parameter `max_text_chars`: of one TEXT; None when it states nothing."""
        return self._read("max_text_chars", _positive_int) if "max_text_chars" in self.parameters else None

    def short_side_px(self) -> int | None:
        """Parameter `short_side_px`: to which a face detector wants its frames scaled; None when it states nothing."""
        return self._read("short_side_px", _positive_int) if "short_side_px" in self.parameters else None

    def lips_profile(self) -> LipsProfile:
        """Parameters `face_size_px`, `crop_margins`, `mouth_region`, `blend` and `mel_<field of MelSpec>`.

        `output` may name the output that holds the moved faces ("FACES" if it does not), `crop_fit` how the box becomes
        a crop ("square").
        """
        return LipsProfile(
            face_size_px=self._read("face_size_px", _positive_int),
            mel=self._mel_spec(),
            crop_margins=self._read("crop_margins", _four_numbers),
            mouth_region=self._read("mouth_region", _region),
            blend=self._read("blend", _blend),
            max_batch_size=self.required_batch_size(),
            output=self.parameters.get("output", "FACES"),
            crop_fit=self._read("crop_fit", _crop_fit) if "crop_fit" in self.parameters else "square",
        )

    def _mel_spec(self) -> MelSpec:
        """A field that the engine does not state keeps the default: the published Wav2Lip set-up."""
        stated: dict[str, int | float] = {}
        known = {field.name: field for field in dataclasses.fields(MelSpec)}
        for key in self.parameters:
            if not key.startswith("mel_"):
                continue
            name = key.removeprefix("mel_")
            if name not in known:
                raise ContractViolation(self.model, f"parameter {key}: there is no such field of the mel")
            stated[name] = self._read(key, _positive_int if known[name].type is int else _finite)
        spec = MelSpec(**stated)  # type: ignore[arg-type]  # each value has its field's type
        for name, sound in (
            ("win_length", spec.win_length <= spec.n_fft),
            ("fmax_hz", 0 <= spec.fmin_hz < spec.fmax_hz <= spec.sample_rate_hz / 2),
            ("min_level_db", spec.min_level_db < 0),
            ("max_abs_value", spec.max_abs_value > 0),
        ):
            if not sound:
                raise ContractViolation(
                    self.model, f"parameter mel_{name}: {getattr(spec, name)} does not fit the rest"
                )
        return spec

    def _read(self, key: str, parse: Callable[[str], T]) -> T:
        text = self.parameters.get(key)
        if text is None:
            raise ContractViolation(self.model, f"parameter {key} is missing from its config")
        try:
            return parse(text)
        except ValueError as error:
            raise ContractViolation(self.model, f"parameter {key} is {text!r}: {error}") from error


def _languages(text: str) -> tuple[str, ...]:
    codes = tuple(text.split())
    if not codes or not all(_LANGUAGE.fullmatch(code) for code in codes):
        raise ValueError("expected language codes separated by spaces")
    return codes


def _language_pairs(text: str) -> tuple[LanguagePair, ...]:
    parts = [pair.split("-") for pair in text.split()]
    if not parts or not all(len(pair) == 2 and all(_LANGUAGE.fullmatch(code) for code in pair) for pair in parts):
        raise ValueError("expected pairs such as en-es, separated by spaces")
    return tuple(LanguagePair(source, target) for source, target in parts)


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("expected a whole number above 0")
    return number


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _speed_range(text: str) -> tuple[float, float]:
    slowest, fastest = [_finite(part) for part in text.split()]
    if not 0 < slowest <= 1 <= fastest:
        raise ValueError("expected the lowest and the highest speed, around 1")
    return slowest, fastest


def _letters_per_s(text: str) -> dict[str, float]:
    parts = text.split()
    rates = {code: _finite(rate) for code, rate in zip(parts[::2], parts[1::2], strict=True)}
    if not all(_LANGUAGE.fullmatch(code) and rate > 0 for code, rate in rates.items()):
        raise ValueError("expected language codes, each followed by letters a second")
    return rates


def _four_numbers(text: str) -> tuple[float, float, float, float]:
    numbers = [_finite(part) for part in text.split()]
    if len(numbers) != 4:
        raise ValueError("expected four numbers separated by spaces")
    first, second, third, fourth = numbers
    return first, second, third, fourth


def _region(text: str) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = _four_numbers(text)
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        raise ValueError("expected x1 y1 x2 y2 with 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1")
    return x1, y1, x2, y2


def _blend(text: str) -> Literal["residual", "replace"]:
    if text not in _BLENDS:
        raise ValueError(f"expected {' or '.join(_BLENDS)}")
    return cast(Literal["residual", "replace"], text)


def _crop_fit(text: str) -> Literal["square", "stretch"]:
    if text not in _CROP_FITS:
        raise ValueError(f"expected {' or '.join(_CROP_FITS)}")
    return cast(Literal["square", "stretch"], text)
