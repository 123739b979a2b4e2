"""Face detection through Triton."""

import numpy as np

from client.contracts import Float32Array, UInt8Array
from client.frames import FrameCall, FrameEngine
from client.tensors import require_contract


class TritonFaces(FrameEngine):
    """Fills the Protocol `FacesEngine`."""

    @property
    def short_side_px(self) -> int | None:
        """Short side that the engine wants its frames scaled to (parameter `short_side_px`); None: it states none."""
        return self.config.short_side_px()

    def detect(self, frames: UInt8Array, *, traceparent: str = "") -> list[Float32Array]:
        """Find faces in RGB `frames` [n, h, w, 3]; per frame an array [k, 5]: x1 y1 x2 y2 in pixels, score in 0..1.

        More frames than the engine's max_batch_size go in several calls.

        Raises:
            EngineError: see client/errors.py.
        """
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise ValueError(f"frames must be uint8 [n, h, w, 3], got {frames.dtype} {list(frames.shape)}")
        size = self.config.required_batch_size()
        batches = [frames[start : start + size] for start in range(0, len(frames), size)]
        return [boxes for batch in batches for boxes in self._detect_batch(batch, traceparent)]

    def _detect_batch(self, frames: UInt8Array, traceparent: str) -> list[Float32Array]:
        call = FrameCall(
            picture="FRAMES",
            pictures=frames,
            others={},
            output="BOXES",
            dtype=np.dtype(np.float32),
            shape=(len(frames), None, 5),
        )
        boxes: Float32Array = self._run(call, traceparent)
        scores = boxes[..., 4]
        require_contract(self.model, bool(((scores >= 0) & (scores <= 1)).all()), "a score of BOXES is outside 0..1")
        found = boxes[scores > 0]
        ordered = (found[:, 0] < found[:, 2]) & (found[:, 1] < found[:, 3])
        require_contract(self.model, bool(ordered.all()), "a box of BOXES has no area")
        return [each[each[:, 4] > 0] for each in boxes]
