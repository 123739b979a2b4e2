"""text.onnx and embed.onnx: tokens and codes become vectors, each with its position's vector added.

text: input_ids INT64 [B, T] -> text_embeds FP32 [B, T, width], positions from 0.
embed: input_ids, position_ids INT64 [R, T] -> inputs_embeds FP32 [R, T, width].
"""

from collections.abc import Sequence

import onnx
from torch import nn

from export.signature import Tensor
from export.xtts.network import PositionTable
from export.xtts.writer import GraphWriter


def text_model(
    tokens: nn.Embedding, positions: PositionTable, inputs: Sequence[Tensor], output: Tensor
) -> onnx.ModelProto:
    """Write the text's graph."""
    writer = GraphWriter()
    count = writer.node("Shape", ["input_ids"], "count", start=1, end=2)
    table = writer.weights("positions.weight", positions.emb.weight)
    placed = writer.node("Slice", [table, writer.sizes(0), count, writer.sizes(0)], "positions")
    return _summed(writer, "text", tokens, placed, inputs, output)


def code_model(
    codes: nn.Embedding, positions: PositionTable, inputs: Sequence[Tensor], output: Tensor
) -> onnx.ModelProto:
    """Write the codes' graph."""
    writer = GraphWriter()
    table = writer.weights("positions.weight", positions.emb.weight)
    placed = writer.node("Gather", [table, "position_ids"], "positions")
    return _summed(writer, "embed", codes, placed, inputs, output)


def _summed(
    writer: GraphWriter, name: str, tokens: nn.Embedding, placed: str, inputs: Sequence[Tensor], output: Tensor
) -> onnx.ModelProto:
    found = writer.node("Gather", [writer.weights("tokens.weight", tokens.weight), "input_ids"], "tokens")
    writer.node("Add", [found, placed], output.name)
    return writer.model(name, inputs, [output])
