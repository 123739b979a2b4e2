"""Lip synchronisation through Triton."""

from functools import cached_property

import numpy as np

from client.contracts import Float32Array, LipsProfile, UInt8Array
from client.frames import FrameCall, FrameEngine


class TritonLips(FrameEngine):
    """Fills the Protocol `LipsEngine`."""

    @cached_property
    def profile(self) -> LipsProfile:
        """What the engine states about itself in its config. Raises EngineError (ContractViolation names the field)."""
        return self.config.lips_profile()

    def move(self, faces: UInt8Array, mels: Float32Array, *, traceparent: str = "") -> UInt8Array:
        """Move the mouths of RGB crops [n, s, s, 3] to mel windows [n, n_mels, steps]; returns crops of that shape.

        More crops than the engine's max_batch_size go in several calls.

        Raises:
            EngineError: see client/errors.py.
        """
        side, mel = self.profile.face_size_px, self.profile.mel
        if faces.dtype != np.uint8 or faces.shape[1:] != (side, side, 3):
            raise ValueError(f"faces must be uint8 [n, {side}, {side}, 3], got {faces.dtype} {list(faces.shape)}")
        if mels.dtype != np.float32 or mels.shape != (len(faces), mel.n_mels, mel.steps):
            expected = [len(faces), mel.n_mels, mel.steps]
            raise ValueError(f"mels must be float32 {expected}, got {mels.dtype} {list(mels.shape)}")
        moved = np.empty_like(faces)
        size = self.profile.max_batch_size
        for start in range(0, len(faces), size):
            batch = slice(start, start + size)
            moved[batch] = self._move_batch(faces[batch], mels[batch], traceparent)
        return moved

    def _move_batch(self, faces: UInt8Array, mels: Float32Array, traceparent: str) -> UInt8Array:
        call = FrameCall(
            picture="FACES",
            pictures=faces,
            others={"MEL": mels},
            output=self.profile.output,
            dtype=np.dtype(np.uint8),
            shape=faces.shape,
        )
        return self._run(call, traceparent)
