"""What config.pbtxt states about the engine, read once and checked: a wrong number stops the load, not a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from mouth_grid import Region
from mouth_speech import MelScale

_REGION_MIN_PX = 16


@dataclass(frozen=True, slots=True)
class LipsSettings:
    """The parameters this engine works with; the others (crop_margins, blend, …) are there for its callers."""

    face_size_px: int
    mouth_region: Region
    mel: MelScale

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "LipsSettings":
        """Read the `parameters` of config.pbtxt. A missing one is a KeyError, a wrong one a ValueError."""
        size_px = int(parameters["face_size_px"])
        x1, y1, x2, y2 = (float(edge) for edge in parameters["mouth_region"].split())
        if not (0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0):
            raise ValueError(f"mouth_region must be x1 y1 x2 y2 within 0..1, got {parameters['mouth_region']}")
        if min(x2 - x1, y2 - y1) * size_px < _REGION_MIN_PX:
            raise ValueError(f"mouth_region must be at least {_REGION_MIN_PX} pixels wide and high")
        hop_length, sample_rate_hz = int(parameters["mel_hop_length"]), int(parameters["mel_sample_rate_hz"])
        mel = MelScale(
            n_mels=int(parameters["mel_n_mels"]),
            steps=int(parameters["mel_steps"]),
            fmin_hz=float(parameters["mel_fmin_hz"]),
            fmax_hz=float(parameters["mel_fmax_hz"]),
            min_level_db=float(parameters["mel_min_level_db"]),
            ref_level_db=float(parameters["mel_ref_level_db"]),
            max_abs_value=float(parameters["mel_max_abs_value"]),
            steps_per_s=sample_rate_hz / hop_length,
        )
        return cls(size_px, (x1, y1, x2, y2), mel)
