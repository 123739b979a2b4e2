"""Face crops and mel windows for the tests of lips_warp: the sample's portrait, and faces drawn to measure."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from lips_settings import LipsSettings

from client.contracts import Float32Array, MelSpec, UInt8Array
from client.mel import mel_spectrogram

CHECKOUT = Path(__file__).parents[3]
SIZE_PX = 256
FAIR, DARK = (224, 182, 156), (92, 58, 44)


def parameters() -> dict[str, str]:
    """The parameters of the engine's own config.pbtxt."""
    text = (CHECKOUT / "model_repository" / "lips_warp" / "config.pbtxt").read_text(encoding="utf-8")
    return dict(re.findall(r'key: "(\w+)" value: \{ string_value: "([^"]*)"', text))


def settings() -> LipsSettings:
    return LipsSettings.from_parameters(parameters())


@cache
def portrait() -> UInt8Array:
    """The astronaut's face as lips_warp is shown it; she smiles with her teeth."""
    picture = cv2.imread(str(CHECKOUT / "samples" / "astronaut.png"))
    left, top, side = 157, 66, 134  # Haar's box (176, 66, 96 wide) with the config's crop_margins
    face = cv2.resize(picture[top : top + side, left : left + side], (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(face[:, :, ::-1])


def darkened(face: UInt8Array) -> UInt8Array:
    """The same face with dark skin: less light, the more so the less there was, and warmer."""
    toned = (face / 255.0) ** 1.25 * 0.45 * np.array([1.15, 0.90, 0.78])
    return np.clip(np.rint(toned * 255.0), 0, 255).astype(np.uint8)


def dimmed(face: UInt8Array, seed: int = 0) -> UInt8Array:
    """The same face in low light, with a sensor's noise."""
    noise = np.random.default_rng(seed).normal(0.0, 2.5, face.shape)
    return np.clip(np.rint(face * 0.25 + noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Drawn:
    """A face drawn to measure. Lengths are fractions of the crop's side."""

    skin: tuple[int, int, int] = FAIR
    x: float = 0.5
    y: float = 0.575
    tilt_deg: float = 0.0
    half_width: float = 0.14
    gap: float = 0.0
    """Height of a dark gap between the lips."""
    beard: bool = False

    def picture(self) -> UInt8Array:
        """Draw it at four times the size, and shrink it."""
        big = SIZE_PX * 4
        canvas = np.full((big, big, 3), self.skin, np.float32)
        canvas *= np.linspace(1.06, 0.90, big, dtype=np.float32)[:, None, None]  # light from above
        if self.beard:
            self._draw_beard(canvas, big)
        for side in (-1, 1):
            self._ellipse(canvas, big, (side * 0.05, -0.145), (0.022, 0.014), 0.45)
        lip = 0.72
        self._ellipse(canvas, big, (0.0, -self.gap / 2 - 0.006), (self.half_width * 0.93, 0.034), lip)
        self._ellipse(canvas, big, (0.0, self.gap / 2 + 0.012), (self.half_width * 0.90, 0.042), lip * 1.08)
        self._ellipse(canvas, big, (0.0, 0.0), (self.half_width, 0.004 + self.gap / 2), 0.12 if self.gap else 0.42)
        blurred = cv2.GaussianBlur(canvas, (0, 0), 5.0)
        small = cv2.resize(blurred, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(small), 0, 255).astype(np.uint8)

    def _ellipse(
        self,
        canvas: Float32Array,
        big: int,
        middle: tuple[float, float],
        radii: tuple[float, float],
        brightness: float,
    ) -> None:
        angle = np.deg2rad(self.tilt_deg)
        x = self.x + middle[0] * np.cos(angle) - middle[1] * np.sin(angle)
        y = self.y + middle[0] * np.sin(angle) + middle[1] * np.cos(angle)
        colour = np.array(self.skin) * brightness * np.array([1.0, 0.82, 0.82])
        centre = (round(x * big), round(y * big))
        axes = (round(radii[0] * big), max(round(radii[1] * big), 1))
        cv2.ellipse(canvas, centre, axes, self.tilt_deg, 0, 360, colour.tolist(), -1, cv2.LINE_AA)

    def _draw_beard(self, canvas: Float32Array, big: int) -> None:
        rows, columns = np.mgrid[0:big, 0:big] / big
        around = np.hypot((columns - self.x) / 0.26, (rows - self.y - 0.07) / 0.24)
        strands = np.random.default_rng(3).random((big // 4, big // 4)).astype(np.float32)
        strands = cv2.resize(strands, (big, big), interpolation=cv2.INTER_LINEAR)
        density = np.clip((1.0 - around) * 4.0, 0.0, 1.0) * (0.35 + 0.45 * strands)
        canvas *= (1.0 - 0.75 * density)[..., None]


def vowel(
    first_hz: float, second_hz: float, level: float = 0.5, seconds: float = 0.5, second_gain: float = 0.4
) -> Float32Array:
    """A voice of 120 Hz whose harmonics rise around two formants; peak `level`."""
    times = np.arange(round(seconds * 16_000)) / 16_000
    voice = np.zeros_like(times)
    for harmonic in np.arange(120.0, 3800.0, 120.0):
        gain = np.exp(-0.5 * ((harmonic - first_hz) / 90.0) ** 2) + second_gain * np.exp(
            -0.5 * ((harmonic - second_hz) / 140.0) ** 2
        )
        voice += gain * np.sin(2.0 * np.pi * harmonic * times + harmonic)
    return (voice / np.abs(voice).max() * level).astype(np.float32)


def ah(level: float = 0.5) -> Float32Array:
    return vowel(760.0, 1250.0, level)


def oo() -> Float32Array:
    return vowel(320.0, 800.0, second_gain=0.1)


def ee() -> Float32Array:
    return vowel(280.0, 2300.0)


def window(audio: Float32Array) -> Float32Array:
    """A mel window from the middle of a steady sound."""
    mel = mel_spectrogram(audio, MelSpec())
    middle = mel.shape[1] // 2
    return np.ascontiguousarray(mel[:, middle - 8 : middle + 8])


def silence() -> Float32Array:
    return np.full((80, 16), -4.0, np.float32)
