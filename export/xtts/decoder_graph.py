"""decoder.onnx, written node by node: GPT-2's blocks over key and value buffers that stay where they are.

Each attention is one node of ONNX Runtime's own (com.microsoft GroupQueryAttention, docs/ContribOperators.md): it takes
queries, keys and values as one tensor, writes the new keys and values into the row's place in the buffers, and looks at
as many positions as the row has. So rows of different lengths step together without padding, and nothing is copied.
"""

import onnx

from export.seq2seq.tensors import Shape
from export.signature import Tensor
from export.xtts.gpt import Block, Product
from export.xtts.network import Gpt
from export.xtts.parts import typed
from export.xtts.writer import GraphWriter


def decoder_inputs(shape: Shape, width: int) -> tuple[Tensor, ...]:
    """inputs_embeds, row_lengths, total_length, then the buffers of all layers."""
    return (
        Tensor("inputs_embeds", "FP32", ("rows", "new", width)),
        Tensor("row_lengths", "INT32", ("rows",)),
        Tensor("total_length", "INT32", (1,)),
        *_buffers(shape, "past"),
    )


def decoder_outputs(shape: Shape, width: int) -> tuple[Tensor, ...]:
    """logits, hidden, then the buffers of all layers."""
    return (
        Tensor("logits", "FP32", ("rows", "new", shape.vocab_size)),
        Tensor("hidden", "FP32", ("rows", "new", width)),
        *_buffers(shape, "present"),
    )


def decoder_model(gpt: Gpt, shape: Shape, width: int) -> onnx.ModelProto:
    """Write the graph with the network's weights.

    Inputs:
        inputs_embeds FP32 [R, T, width]. T > 1 only for one row that has nothing yet.
        row_lengths INT32 [R]: positions of each row after this call, minus one.
        total_length INT32 [1]: most positions of any row after this call.
        past_key_i, past_value_i FP32 [R, heads, capacity, head_dim]: to be bound to the memory of present_..._i.

    Outputs: logits FP32 [R, T, codes], hidden FP32 [R, T, width] (what the last norm makes of each position), present.
    """
    writer = _Writer(shape.heads)
    x = "inputs_embeds"
    for index, block in enumerate(typed(gpt.gpt.h, Block)):
        x = writer.block(x, block, index)
    x = writer.norm(x, gpt.gpt.ln_f, "ln_f")
    hidden = writer.norm(x, gpt.final_norm, "hidden")
    writer.product(hidden, gpt.mel_head.weight.T, gpt.mel_head.bias, "logits")
    return writer.model("decoder", decoder_inputs(shape, width), decoder_outputs(shape, width))


class _Writer(GraphWriter):
    def __init__(self, heads: int) -> None:
        super().__init__()
        self._heads = heads

    def block(self, x: str, block: Block, index: int) -> str:
        """Attention, then feed-forward, each added to what it got."""
        attended = self._attention(self.norm(x, block.ln_1, f"ln_1_{index}"), block.attn.c_attn, index)
        back = self._product(attended, block.attn.c_proj, f"attention_{index}")
        x = self.node("Add", [x, back], f"attended_{index}")
        inner = self._product(self.norm(x, block.ln_2, f"ln_2_{index}"), block.mlp.c_fc, f"inner_{index}")
        gelu = self.contrib("FastGelu", [inner], [f"gelu_{index}"])
        return self.node("Add", [x, self._product(gelu, block.mlp.c_proj, f"outer_{index}")], f"block_{index}")

    def _attention(self, x: str, into: Product, index: int) -> str:
        packed = self._product(x, into, f"query_key_value_{index}")
        inputs = [packed, "", "", f"past_key_{index}", f"past_value_{index}", "row_lengths", "total_length"]
        outputs = [f"heads_{index}", f"present_key_{index}", f"present_value_{index}"]
        return self.contrib("GroupQueryAttention", inputs, outputs, num_heads=self._heads, kv_num_heads=self._heads)

    def _product(self, x: str, product: Product, name: str) -> str:
        return self.product(x, product.weight, product.bias, name)


def _buffers(shape: Shape, what: str) -> tuple[Tensor, ...]:
    dims = ("rows", shape.heads, "capacity", shape.head_dim)
    names = [f"{what}_{kind}_{layer}" for layer in range(shape.layers) for kind in ("key", "value")]
    return tuple(Tensor(name, "FP32", dims) for name in names)
