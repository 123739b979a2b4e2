"""speaker.onnx: mel FP32 [B, 64, frames] (power of the pre-emphasised sound at 16 kHz) -> embedding FP32 [B, 512] of
length 1. Batch norms right behind a convolution are worked into it; those behind a ReLU stay.
"""

from collections.abc import Sequence

import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export.signature import Tensor
from export.xtts.parts import typed
from export.xtts.settings import SPEAKER_BANDS
from export.xtts.speaker import LEAST_POWER, LEAST_VARIANCE, Block, SpeakerEncoder, Squeeze
from export.xtts.writer import GraphWriter

_INSTANCE_EPSILON = 1e-5
_LEAST_LENGTH = 1e-12
"""What torch divides by at least."""


def speaker_model(encoder: SpeakerEncoder, inputs: Sequence[Tensor], output: Tensor) -> onnx.ModelProto:
    """Write the graph."""
    writer = _Writer()
    x = writer.heard("mel")
    x = writer.batch_norm(writer.relu(writer.convolution(x, encoder.conv1, "conv1")), encoder.bn1, "bn1")
    for stage, layer in enumerate(encoder.layers()):
        for index, block in enumerate(typed(layer, Block)):
            x = writer.block(x, block, f"layer{stage + 1}_{index}")
    writer.embedding(writer.gathered(x, encoder), encoder.fc, output.name)
    return writer.model("speaker", inputs, [output])


class _Writer(GraphWriter):
    def heard(self, mel: str) -> str:
        """Logarithm, each band normed over time, as pictures of one channel."""
        x = self.node("Log", [self.node("Add", [mel, self.number(LEAST_POWER)], "power")], "logarithm")
        ones = self.weights("ones", torch.ones(SPEAKER_BANDS))
        zeros = self.weights("zeros", torch.zeros(SPEAKER_BANDS))
        x = self.node("InstanceNormalization", [x, ones, zeros], "normed", epsilon=_INSTANCE_EPSILON)
        return self.node("Unsqueeze", [x, self.sizes(1)], "picture")

    def block(self, x: str, block: Block, name: str) -> str:
        """Two convolutions beside a way around them."""
        around = x
        if block.downsample is not None:
            conv, norm = block.downsample
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            around = self.convolution(x, fuse_conv_bn_eval(conv, norm), f"{name}.around")
        y = self.batch_norm(self.relu(self.convolution(x, block.conv1, f"{name}.first")), block.bn1, f"{name}.bn1")
        y = self.convolution(y, fuse_conv_bn_eval(block.conv2, block.bn2), f"{name}.second")
        y = self.squeeze(y, block.se, f"{name}.squeeze")
        return self.relu(self.node("Add", [y, around], name))

    def squeeze(self, x: str, squeeze: Squeeze, name: str) -> str:
        """Weigh channels by what their means say together."""
        first, second = squeeze.products()
        y = self.node("ReduceMean", [x, self.sizes(2, 3)], f"{name}.means", keepdims=0)
        y = self.relu(self.product(y, first.weight.T, first.bias, f"{name}.into"))
        y = self.node("Sigmoid", [self.product(y, second.weight.T, second.bias, f"{name}.out")], f"{name}.weights")
        return self.node("Mul", [x, self.node("Unsqueeze", [y, self.sizes(2, 3)], f"{name}.wide")], name)

    def gathered(self, x: str, encoder: SpeakerEncoder) -> str:
        """Mean and deviation over time, weighed by attention."""
        into, _, norm, out, _ = encoder.attention
        assert isinstance(norm, nn.BatchNorm1d)
        features = encoder.fc.in_features // 2
        x = self.node("Reshape", [x, self.sizes(0, features, -1)], "features")
        y = self.batch_norm(self.relu(self._over_time(x, into, "attention.into")), norm, "attention.norm")
        weights = self.node("Softmax", [self._over_time(y, out, "attention.out")], "attention", axis=2)
        weighed = self.node("Mul", [x, weights], "weighed")
        mean = self.node("ReduceSum", [weighed, self.sizes(2)], "mean", keepdims=0)
        squares = self.node(
            "ReduceSum", [self.node("Mul", [weighed, x], "squares"), self.sizes(2)], "power_of", keepdims=0
        )
        variance = self.node("Sub", [squares, self.node("Mul", [mean, mean], "mean_squared")], "variance")
        variance = self.node("Max", [variance, self.number(LEAST_VARIANCE)], "some_variance")
        return self.node("Concat", [mean, self.node("Sqrt", [variance], "deviation")], "gathered", axis=1)

    def embedding(self, x: str, layer: nn.Linear, name: str) -> str:
        """One vector of length 1."""
        x = self.product(x, layer.weight.T, layer.bias, f"{name}.raw")
        length = self.node("ReduceL2", [x, self.sizes(1)], f"{name}.length", keepdims=1)
        return self.node(
            "Div", [x, self.node("Max", [length, self.number(_LEAST_LENGTH)], f"{name}.some_length")], name
        )

    def batch_norm(self, x: str, norm: nn.BatchNorm1d | nn.BatchNorm2d, name: str) -> str:
        """A batch norm with the statistics that it has learned."""
        parts = {"scale": norm.weight, "bias": norm.bias, "mean": norm.running_mean, "variance": norm.running_var}
        inputs = [x]
        for part, weights in parts.items():
            assert weights is not None
            inputs.append(self.weights(f"{name}.{part}", weights))
        return self.node("BatchNormalization", inputs, name, epsilon=norm.eps)

    def relu(self, x: str) -> str:
        """ReLU, named after what it gets."""
        return self.node("Relu", [x], f"{x}.relu")

    def _over_time(self, x: str, conv: nn.Module, name: str) -> str:
        """A convolution that sees one moment at a time."""
        assert isinstance(conv, nn.Conv1d)
        assert conv.bias is not None
        inputs = [x, self.weights(f"{name}.weight", conv.weight), self.weights(f"{name}.bias", conv.bias)]
        return self.node("Conv", inputs, name, kernel_shape=conv.kernel_size)
