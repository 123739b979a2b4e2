"""Makes astronaut_en.mp4: a talking head out of a still portrait and a synthetic voice. `make sample` runs it.

The portrait blinks, sways and nods (sample_motion), speaks three sentences (sample_speech) and moves its lips to them
by the arithmetic of the engine lips_warp. The same picture, flite and libraries give the same pictures and samples.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "model_repository" / "lips_warp" / "1"))

from mouth_locate import MouthLocator  # noqa: E402
from mouth_read import read_mouth  # noqa: E402
from mouth_speech import MelScale, SpeechReader, SpokenMouth  # noqa: E402
from mouth_warp import warp_mouth  # noqa: E402
from sample_motion import Picture, blink_at, camera, close_eyes, moved_head  # noqa: E402
from sample_speech import SAMPLE_RATE_HZ, Speech, speak  # noqa: E402

from client.contracts import MelSpec  # noqa: E402
from client.mel import mel_windows  # noqa: E402

FRAMES_PER_S = 25
SIZE_PX = 512
_PORTRAIT = FOLDER / "astronaut.png"
_TARGET = FOLDER / "astronaut_en.mp4"
_VIEW_XY, _VIEW_SIZE = (80.0, 0.0), 296.0
"""What the canvas shows of the portrait."""
_CANVAS_PX = 540
_ZOOM = _CANVAS_PX / _VIEW_SIZE
_FACE_SQUARE = (157.0, 66.0, 134.0)
"""Left, top and side of the face crop: the Haar box (176, 66, 96 wide) with lips_warp's crop_margins."""
_CROP_PX = 256
_MOUTH_REGION = (0.08, 0.36, 0.92, 1.0)
_EMPHASIS = 1.3
"""Flite's voice is softer than the engine's usual sources; the sample's mouth is to be seen moving."""
_NOD_SMOOTHING_FRAMES = 5.0


def main() -> None:
    """Write the clip beside this script."""
    speech = speak()
    with av.open(str(_TARGET), "w", container_options={"movflags": "+faststart"}) as container:
        _encode(container, speech)
    duration_s = len(speech.samples) / SAMPLE_RATE_HZ
    print(f"{_TARGET.name}: {duration_s:.2f} s, {_TARGET.stat().st_size / 1e6:.2f} MB")
    for start_s, end_s in speech.spoken_s:
        print(f"  speech {start_s:.2f} .. {end_s:.2f} s")


def _encode(container: av.container.OutputContainer, speech: Speech) -> None:
    video = container.add_stream("libx264", rate=FRAMES_PER_S, options={"crf": "19", "preset": "slow", "threads": "1"})
    video.width = video.height = SIZE_PX
    video.pix_fmt = "yuv420p"
    audio = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
    audio.bit_rate = 96_000
    for number, picture in enumerate(frames_of(speech)):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
        container.mux(video.encode(frame))
    container.mux(video.encode(None))
    sound = av.AudioFrame.from_ndarray(speech.samples[None, :], format="fltp", layout="mono")
    sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE_HZ, 0, Fraction(1, SAMPLE_RATE_HZ)
    container.mux(audio.encode(sound))
    container.mux(audio.encode(None))


def frames_of(speech: Speech) -> Iterator[Picture]:
    """Yield the pictures, RGB [SIZE_PX, SIZE_PX, 3], as many as the sound lasts."""
    portrait = cv2.cvtColor(cv2.imread(str(_PORTRAIT)), cv2.COLOR_BGR2RGB)
    canvas: Picture = _enlarged(portrait, (*_VIEW_XY, _VIEW_SIZE), _CANVAS_PX)
    face: Picture = _enlarged(portrait, _FACE_SQUARE, _CROP_PX)
    mouth = read_mouth(face, MouthLocator().locate(face))
    spec = MelSpec()
    reader = SpeechReader(_scale_of(spec))
    times_s = np.arange(round(len(speech.samples) / SAMPLE_RATE_HZ * FRAMES_PER_S)) / FRAMES_PER_S
    spoken = [_emphasised(reader.read(mel)) for mel in mel_windows(speech.samples, spec, times_s.tolist())]
    nods = _nods(np.array([mouth.opening for mouth in spoken]))
    for time_s, shape, nod in zip(times_s, spoken, nods, strict=True):
        talking = warp_mouth(face, mouth, shape, _MOUTH_REGION)
        picture = _with_change(canvas, talking.astype(np.float32) - face)
        picture = close_eyes(picture, blink_at(time_s), _ZOOM, _VIEW_XY)
        yield camera(moved_head(picture, time_s, nod, _ZOOM, _VIEW_XY), time_s, SIZE_PX)


def _emphasised(mouth: SpokenMouth) -> SpokenMouth:
    return SpokenMouth(_EMPHASIS * mouth.opening, mouth.width)


def _enlarged(portrait: Picture, square: tuple[float, float, float], size_px: int) -> Picture:
    """Show left, top, side of the portrait as [size_px, size_px, 3]."""
    left, top, side = square
    step = side / size_px
    matrix = np.array([[step, 0.0, left + step / 2 - 0.5], [0.0, step, top + step / 2 - 0.5]])
    return cv2.warpAffine(  # type: ignore[return-value]
        portrait, matrix, (size_px, size_px), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )


def _with_change(canvas: Picture, change: NDArray[np.float32]) -> Picture:
    """Add what changed in the face crop to the canvas."""
    left, top, side = _FACE_SQUARE
    step = _CROP_PX / side / _ZOOM
    x, y = (left - _VIEW_XY[0]) * _ZOOM, (top - _VIEW_XY[1]) * _ZOOM
    matrix = np.array([[step, 0.0, (0.5 - x) * step - 0.5], [0.0, step, (0.5 - y) * step - 0.5]])
    placed = cv2.warpAffine(change, matrix, (_CANVAS_PX, _CANVAS_PX), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    return np.clip(np.rint(canvas + placed), 0, 255).astype(np.uint8)


def _nods(openings: NDArray[np.float64]) -> NDArray[np.float64]:
    """The head goes along with the speech, slowly: 0..1 per frame."""
    reach = round(3 * _NOD_SMOOTHING_FRAMES)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _NOD_SMOOTHING_FRAMES) ** 2)
    smoothed = np.convolve(np.pad(openings, reach), weights / weights.sum(), mode="valid")
    return smoothed / max(smoothed.max(), 1e-6)


def _scale_of(spec: MelSpec) -> MelScale:
    return MelScale(
        spec.n_mels,
        spec.steps,
        spec.fmin_hz,
        spec.fmax_hz,
        spec.min_level_db,
        spec.ref_level_db,
        spec.max_abs_value,
        spec.steps_per_s,
    )


if __name__ == "__main__":
    main()
