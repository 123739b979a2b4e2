"""The engine's arithmetic for one batch: checks, then one mouth after the other. Needs no Triton."""

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from lips_settings import LipsSettings
from mouth_locate import MouthLocator
from mouth_model import Float32, UInt8
from mouth_read import read_mouth
from mouth_speech import SpeechReader
from mouth_warp import warp_mouth


class LipsWarp:
    """Moves the mouths of face crops to mel windows; crops do not influence each other."""

    def __init__(self, settings: LipsSettings) -> None:
        """Lay out the tables that every crop uses."""
        self._settings = settings
        self._locator = MouthLocator()
        self._speech = SpeechReader(settings.mel)

    def move(self, faces: UInt8, mels: Float32) -> UInt8:
        """Return RGB crops like `faces` [n, s, s, 3] whose mouths speak `mels` [n, n_mels, steps].

        Raises InvalidRequest for another size than face_size_px, another mel shape, or NaN and infinities in the mel.
        """
        self._check(faces, mels)
        moved = [self._move_one(face, mel) for face, mel in zip(faces, mels, strict=True)]
        return np.stack(moved) if moved else faces.copy()

    def _move_one(self, face: UInt8, mel: Float32) -> UInt8:
        mouth = read_mouth(face, self._locator.locate(face))
        return warp_mouth(face, mouth, self._speech.read(mel), self._settings.mouth_region)

    def _check(self, faces: UInt8, mels: Float32) -> None:
        size_px, mel = self._settings.face_size_px, self._settings.mel
        if faces.ndim != 4 or faces.shape[1:] != (size_px, size_px, 3):
            raise InvalidRequest(f"FACES must be crops of [{size_px}, {size_px}, 3], got {list(faces.shape[1:])}")
        if mels.ndim != 3 or mels.shape[1:] != (mel.n_mels, mel.steps):
            raise InvalidRequest(f"MEL must be [{mel.n_mels}, {mel.steps}], got {list(mels.shape[1:])}")
        if len(faces) != len(mels):
            raise InvalidRequest(f"{len(faces)} FACES cannot speak {len(mels)} MEL windows")
        require_finite(mels, "MEL")
