"""What the exporter must know of Wav2Lip."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from export.checkpoint import load_strict
from export.family import Family
from export.parity import EXACT_FLOAT, EXACT_PICTURE, REDUCED_PICTURE, Limit
from export.signature import Signature, Tensor, Tensors
from export.wav2lip.graph import Wav2LipGraph
from export.wav2lip.network import FACE_SIZE_PX, MEL_STEPS, MELS, PUBLISHED_UNIT, Wav2Lip
from export.wav2lip.synth import synthesise

_FIRST = "face_encoder_blocks.0.0.conv_block.0.weight"
_WIDEST_UNIT = 4 * PUBLISHED_UNIT
_BLOCK_PX = 8
_PICTURE = (FACE_SIZE_PX, FACE_SIZE_PX, 3)


class Wav2LipFamily(Family):
    """The published generator, 36.3 million parameters; both published files have its shapes."""

    name = "wav2lip"
    triton_model = "lips_wav2lip"
    licence = "The published Wav2Lip weights may be used for research and personal purposes only, not commercially."
    source = "Prajwal et al. 2020, A Lip Sync Expert Is All You Need; github.com/Rudrabha/Wav2Lip"
    published_files = ("wav2lip.pth", "wav2lip_gan.pth")
    precisions = ("fp32", "fp16", "bf16", "int8", "tensorrt", "tensorrt_fp32")
    signature = Signature(
        inputs=(Tensor("FACES", "UINT8", _PICTURE), Tensor("MEL", "FP32", (MELS, MEL_STEPS))),
        # Not FACES as in the task contract: ONNX knows a name once. The model's config says `output`: "MOVED".
        outputs=(Tensor("MOVED", "UINT8", _PICTURE),),
    )
    probes = (Tensor("MOVED_FLOAT", "FP32", _PICTURE),)
    reduced_width = 0.25

    def synth(self, seed: int, width: float) -> dict[str, object]:
        """Nest and name as the published files do: saved from DataParallel by the training script."""
        unit = round(width * PUBLISHED_UNIT)
        if unit < 1 or width > 1:
            raise ValueError(f"width must be 1/{PUBLISHED_UNIT}..1, it is {width:g}")
        state = {f"module.{key}": tensor for key, tensor in synthesise(seed, unit).items()}
        return {"state_dict": state, "optimizer": None, "global_step": 0, "global_epoch": 0}

    def load(self, state: Mapping[str, torch.Tensor]) -> nn.Module:
        """Read the width from the first layer."""
        first = state.get(_FIRST)
        unit = len(first) if first is not None and first.dim() == 4 and len(first) <= _WIDEST_UNIT else PUBLISHED_UNIT
        return load_strict(Wav2Lip(max(unit, 1)), state)

    def graph(self, module: nn.Module) -> nn.Module:
        """Fold in what the published code does outside the network."""
        assert isinstance(module, Wav2Lip)
        return Wav2LipGraph(module).eval()

    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        """Coarse random blocks with noise on them, so that every stage of the encoder has something to see."""
        cells = FACE_SIZE_PX // _BLOCK_PX
        blocks = rng.integers(0, 256, (batch, cells, cells, 3)).repeat(_BLOCK_PX, axis=1).repeat(_BLOCK_PX, axis=2)
        noisy = blocks + rng.integers(-32, 33, blocks.shape)
        return {
            "FACES": noisy.clip(0, 255).astype(np.uint8),
            "MEL": rng.uniform(-4, 4, (batch, MELS, MEL_STEPS)).astype(np.float32),
        }

    def reference(self, module: nn.Module, inputs: Tensors) -> Tensors:
        """As inference.py of the published code: BGR, lower half 0, concatenated, 0..1; then * 255, astype(uint8)."""
        bgr = inputs["FACES"][..., ::-1]
        masked = bgr.copy()
        masked[:, FACE_SIZE_PX // 2 :] = 0
        faces = np.concatenate([masked, bgr], axis=3) / 255.0
        mel = inputs["MEL"][:, np.newaxis]
        with torch.no_grad():
            moved = module(torch.from_numpy(mel), torch.from_numpy(faces.astype(np.float32).transpose(0, 3, 1, 2)))
        rgb = np.ascontiguousarray(moved.numpy().transpose(0, 2, 3, 1)[..., ::-1])
        return {"MOVED": (rgb * np.float32(255)).astype(np.uint8), "MOVED_FLOAT": rgb}

    def limits(self, precision: str) -> Mapping[str, Limit]:
        """Return the bar of a picture."""
        if precision == "fp32":
            return {"MOVED": EXACT_PICTURE, "MOVED_FLOAT": EXACT_FLOAT}
        return {"MOVED": REDUCED_PICTURE}


FAMILY = Wav2LipFamily()
