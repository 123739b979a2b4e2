"""conditioning.onnx: mel FP32 [B, 80, frames] (natural logarithm of the power, not yet divided by mel_stats) -> latents
FP32 [B, 32, width]. Each attention is one node of ONNX Runtime's own (com.microsoft MultiHeadAttention).
"""

from collections.abc import Sequence

import onnx
import torch
from torch import Tensor as Weights
from torch import nn

from export.signature import Tensor
from export.xtts.conditioning import PERCEIVER_HEADS, AttentionBlock, PerceiverAttention, RootMeanSquareNorm
from export.xtts.network import Xtts
from export.xtts.parts import typed
from export.xtts.writer import GraphWriter

_LEAST_LENGTH = 1e-12
"""What torch divides by at least."""


def conditioning_model(network: Xtts, inputs: Sequence[Tensor], output: Tensor) -> onnx.ModelProto:
    """Write the graph; the division by mel_stats is part of the first product."""
    writer = _Writer()
    encoder, perceiver = network.gpt.conditioning_encoder, network.gpt.conditioning_perceiver
    first = (encoder.init.weight[:, :, 0] / network.mel_stats).T
    x = writer.turned(writer.product(writer.turned("mel", "mel.turned"), first, encoder.init.bias, "init"), "frames")
    for index, block in enumerate(typed(encoder.attn, AttentionBlock)):
        x = writer.block(x, block, f"block_{index}")
    heard = writer.turned(x, "heard")
    latents = writer.seeds(perceiver.latents, "mel")
    for index, (attention, feed_forward) in enumerate(typed(perceiver.layers, nn.ModuleList)):
        assert isinstance(attention, PerceiverAttention)
        assert isinstance(feed_forward, nn.Sequential)
        latents = writer.perceived(latents, heard, attention, f"perceived_{index}")
        latents = writer.fed(latents, feed_forward, f"fed_{index}")
    writer.length_norm(latents, perceiver.norm, output.name)
    return writer.model("conditioning", inputs, [output])


class _Writer(GraphWriter):
    def turned(self, x: str, name: str) -> str:
        """Frames before channels, or the other way round."""
        return self.node("Transpose", [x], name, perm=(0, 2, 1))

    def block(self, x: str, block: AttentionBlock, name: str) -> str:
        """Attention, added to the normed input."""
        normed = self.group_norm(x, block.norm, f"{name}.norm")
        frames = self.turned(normed, f"{name}.frames")
        assert block.qkv.bias is not None
        weight, bias = (_regrouped(each, block.heads) for each in (block.qkv.weight[:, :, 0], block.qkv.bias))
        packed = self.product(frames, weight.T, bias, f"{name}.qkv")
        parts = self.parts(packed, [f"{name}.{part}" for part in ("query", "key", "value")])
        attended = self.contrib("MultiHeadAttention", parts, [f"{name}.attended"], num_heads=block.heads)
        back = self.product(attended, block.proj_out.weight[:, :, 0].T, block.proj_out.bias, f"{name}.out")
        return self.node("Add", [normed, self.turned(back, f"{name}.found")], name)

    def group_norm(self, x: str, norm: nn.GroupNorm, name: str) -> str:
        """Groups of channels, normed over all their frames; then a factor and a summand for each channel."""
        ones = self.weights("ones", torch.ones(norm.num_groups))
        zeros = self.weights("zeros", torch.zeros(norm.num_groups))
        grouped = self.node("Reshape", [x, self.sizes(0, norm.num_groups, -1)], f"{name}.groups")
        grouped = self.node("InstanceNormalization", [grouped, ones, zeros], f"{name}.normed", epsilon=norm.eps)
        y = self.node("Reshape", [grouped, self.sizes(0, norm.num_channels, -1)], f"{name}.channels")
        y = self.node("Mul", [y, self.weights(f"{name}.scale", norm.weight[:, None])], f"{name}.scaled")
        return self.node("Add", [y, self.weights(f"{name}.bias", norm.bias[:, None])], name)

    def seeds(self, latents: Weights, like: str) -> str:
        """What the latents are at first, for each item of the batch."""
        batch = self.node("Shape", [like], "batch", start=0, end=1)
        shape = self.node("Concat", [batch, self.sizes(*latents.shape)], "seeds.shape", axis=0)
        return self.node("Expand", [self.weights("seeds.weight", latents), shape], "seeds")

    def perceived(self, latents: str, heard: str, attention: PerceiverAttention, name: str) -> str:
        """The latents attend to themselves and to what was heard."""
        query = self.product(latents, attention.to_q.weight.T, None, f"{name}.query")
        context = self.node("Concat", [latents, heard], f"{name}.context", axis=1)
        packed = self.product(context, attention.to_kv.weight.T, None, f"{name}.key_value")
        key, value = self.parts(packed, [f"{name}.key", f"{name}.value"])
        attended = self.contrib(
            "MultiHeadAttention", [query, key, value], [f"{name}.attended"], num_heads=PERCEIVER_HEADS
        )
        return self.node("Add", [latents, self.product(attended, attention.to_out.weight.T, None, f"{name}.out")], name)

    def fed(self, x: str, feed_forward: nn.Sequential, name: str) -> str:
        """Two products; half of what is between them is gated by the other half."""
        into, _, out = feed_forward
        assert isinstance(into, nn.Linear)
        assert isinstance(out, nn.Linear)
        packed = self.product(x, into.weight.T, into.bias, f"{name}.into")
        values, gates = self.parts(packed, [f"{name}.values", f"{name}.gates"])
        gated = self.node("Mul", [values, self.contrib("Gelu", [gates], [f"{name}.gelu"])], f"{name}.gated")
        return self.node("Add", [x, self.product(gated, out.weight.T, out.bias, f"{name}.out")], name)

    def length_norm(self, x: str, norm: RootMeanSquareNorm, name: str) -> str:
        """Vectors of the length of the root of their size, then a factor for each number."""
        length = self.node("ReduceL2", [x, self.sizes(-1)], f"{name}.length", keepdims=1)
        y = self.node("Div", [x, self.node("Max", [length, self.number(_LEAST_LENGTH)], f"{name}.some")], f"{name}.one")
        scale = norm.gamma * norm.gamma.shape[0] ** 0.5
        return self.node("Mul", [y, self.weights(f"{name}.scale", scale)], name)


def _regrouped(rows: Weights, heads: int) -> Weights:
    """Queries, keys and values head by head become first all queries, then all keys, then all values."""
    return rows.reshape(heads, 3, -1, *rows.shape[1:]).transpose(0, 1).flatten(0, 2)
