"""What the exporter's tracer and gate must know of the sentence boundary network."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor as TorchTensor
from torch import nn

from export.checkpoint import load_strict
from export.family import Family
from export.parity import EXACT_FLOAT, Limit
from export.sentence_boundary.network import WIDTH, BoundaryNetwork
from export.sentence_boundary.tokens import TOKENISER
from export.signature import Signature, Tensor, Tensors


class BoundaryGraph(nn.Module):
    """TOKENS int32 [n, TOKENS, FEATURES] -> COMPLETE float32 [n, 1]: calibrated, at each text's last token."""

    def __init__(self, network: BoundaryNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: TorchTensor) -> tuple[TorchTensor]:
        """Return 0 where there is no word."""
        shapes = tokens[..., 3]
        last = ((shapes > 0).sum(dim=1, keepdim=True) - 1).clamp(min=0)
        logits = self.network(tokens.to(torch.int64)).gather(1, last)
        has_word = ((shapes > 0) & (shapes <= TOKENISER.DIGITS)).any(dim=1, keepdim=True)
        return (torch.where(has_word, self.network.probability(logits), torch.zeros_like(logits)),)


class BoundaryFamily(Family):
    """Trained by this package; there is no published checkpoint."""

    name = "sentence_boundary"
    triton_model = "sentence_boundary_net"
    licence = "Apache-2.0, as the project; the texts it learnt from have the licences listed under `packages`."
    source = "export/sentence_boundary of this project"
    published_files = ()
    precisions = ("fp32",)
    signature = Signature(
        inputs=(Tensor("TOKENS", "INT32", (TOKENISER.TOKENS, TOKENISER.FEATURES)),),
        outputs=(Tensor("COMPLETE", "FP32", (1,)),),
    )
    reduced_width = 0.25

    def synth(self, seed: int, width: float) -> dict[str, object]:
        """Make a network of random weights."""
        torch.manual_seed(seed)
        return dict(BoundaryNetwork.of_size(round(width * WIDTH)).state_dict())

    def load(self, state: Mapping[str, torch.Tensor]) -> nn.Module:
        """Read the width from the table of words."""
        return load_strict(BoundaryNetwork.of_size(state["words.weight"].shape[1]), state)

    def graph(self, module: nn.Module) -> nn.Module:
        """Pick the last token's answer."""
        assert isinstance(module, BoundaryNetwork)
        return BoundaryGraph(module).eval()

    def samples(self, rng: np.random.Generator, batch: int) -> Tensors:
        """Random tokens, as many of each text as may occur; the first text of a batch has none."""
        sizes = [TOKENISER.WORD_BUCKETS, TOKENISER.WORD_BUCKETS, TOKENISER.ENDING_BUCKETS, TOKENISER.SHAPES]
        tokens = rng.integers(1, sizes, (batch, TOKENISER.TOKENS, TOKENISER.FEATURES), dtype=np.int32)
        lengths = rng.integers(1, TOKENISER.TOKENS + 1, batch)
        lengths[0] = 0 if batch > 1 else lengths[0]
        tokens[np.arange(TOKENISER.TOKENS) >= lengths[:, None]] = 0
        return {"TOKENS": tokens}

    def reference(self, module: nn.Module, inputs: Tensors) -> Tensors:
        """Give each text to the network by itself, without what pads it."""
        assert isinstance(module, BoundaryNetwork)
        return {"COMPLETE": np.array([[_alone(module, tokens)] for tokens in inputs["TOKENS"]], np.float32)}

    def limits(self, precision: str) -> Mapping[str, Limit]:
        """Return the bar of a float."""
        return {"COMPLETE": EXACT_FLOAT}


def _alone(network: BoundaryNetwork, tokens: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> float:
    text = tokens[tokens[:, 3] > 0]
    if not (text[:, 3] <= TOKENISER.DIGITS).any():
        return 0.0
    with torch.no_grad():
        logits = network(torch.from_numpy(text[None].astype(np.int64)))
        return float(network.probability(logits[0, -1]))


FAMILY = BoundaryFamily()
