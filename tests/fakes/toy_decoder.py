"""Tiny random attention networks as the `generate` backend's graphs, and the same in plain numpy, without any cache.

The graphs are written node by node from docs/GENERATE.md, so they are a second opinion on what the exporter makes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 10
HIDDEN = -1e9
FLOAT, INT, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32
CONTRIB = "com.microsoft"


@dataclass(frozen=True)
class Toy:
    """One network; equal fields and seed, equal weights."""

    seed: int = 0
    layers: int = 2
    heads: int = 2
    head_dim: int = 4
    vocab: int = 24
    positions: int = 64
    source: str | None = "tokens"
    """What the encoder reads: "tokens" (with encoder_mask), "mel" (without), None: decoder-only."""
    embeds: bool = False
    """The decoder takes inputs_embeds; embed.onnx makes them."""
    slots: bool = False
    """The decoder keeps its caches in buffers that it writes in place (GroupQueryAttention); needs `embeds`."""
    hidden: bool = False
    sharpness: float = 3.0
    eos: tuple[int, ...] = (1,)
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of generation.json."""

    @property
    def width(self) -> int:
        return self.heads * self.head_dim

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        rng = np.random.default_rng(self.seed)
        width = self.width

        def normal(*shape: int, scale: float = 1.0) -> NDArray[np.float32]:
            return (rng.standard_normal(shape) * scale).astype(np.float32)

        made = {"tokens": normal(self.vocab, width), "places": normal(self.positions, width, scale=0.5)}
        made["source_tokens"], made["source_places"] = normal(self.vocab, width), normal(256, width, scale=0.5)
        made["mel"] = normal(2 * 3, width)
        made["out"] = normal(width, self.vocab, scale=self.sharpness / width**0.5)
        for layer in range(self.layers):
            for name in ("q", "k", "v", "o", "cq", "ck", "cv", "co"):
                made[f"{name}{layer}"] = normal(width, width, scale=1.5 / width**0.5)
        return made

    def save(self, folder: Path, *, reorder: bool = True) -> Path:
        """Write a version's folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (slots_decoder if self.slots else decoder)(self, folder / "decoder.onnx")
        if self.source:
            encoder(self, folder / "encoder.onnx")
        if self.embeds:
            embed(self, folder / "embed.onnx")
        if reorder and not self.slots:
            gather(self, folder / "reorder.onnx")
        (folder / "generation.json").write_text(json.dumps(self.settings()))
        return folder

    def settings(self) -> dict[str, Any]:
        return {
            **{"family": "tokens", "layers": self.layers, "heads": self.heads, "head_dim": self.head_dim},
            **{"vocab_size": self.vocab, "max_positions": self.positions, "start": 2, "eos": list(self.eos), "pad": 0},
            **self.extra,
        }

    # The same in numpy, one row, everything computed anew for every token.

    def encode(self, source: NDArray[Any]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Keys and values [heads, S, head_dim] of every layer."""
        w = self.weights
        if self.source == "tokens":
            h = np.tanh(w["source_tokens"][source] + w["source_places"][: len(source)])
        else:
            h = np.tanh(source.T.reshape(source.shape[1] // 2, -1) @ w["mel"])
        return [(self._split(h @ w[f"ck{i}"]), self._split(h @ w[f"cv{i}"])) for i in range(self.layers)]

    def embedded(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        w = self.weights
        return w["tokens"][list(tokens)] + w["places"][: len(tokens)]

    def logits(
        self, tokens: Sequence[int], cross: Sequence[tuple[Any, Any]] = (), prefix: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """[len(prefix) + len(tokens), vocab]."""
        w = self.weights
        x = self.embedded(tokens)
        if prefix is not None:
            x = np.concatenate([prefix, x])
        count = len(x)
        bias = np.where(np.tril(np.ones((count, count), bool)), 0, HIDDEN)
        for i in range(self.layers):
            q, k, v = (self._split(x @ w[f"{name}{i}"]) for name in "qkv")
            x = x + self._attend(q, k, v, bias) @ w[f"o{i}"]
            if self.source:
                x = x + self._attend(self._split(x @ w[f"cq{i}"]), *cross[i], 0.0) @ w[f"co{i}"]
            x = np.tanh(x)
        return (x @ w["out"]).astype(np.float32)

    def _split(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return x.reshape(len(x), self.heads, self.head_dim).transpose(1, 0, 2)

    def _attend(self, q: Any, k: Any, v: Any, bias: Any) -> NDArray[np.float32]:
        scores = q @ k.transpose(0, 2, 1) / np.float32(self.head_dim**0.5) + bias
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        return (shares @ v).transpose(1, 0, 2).reshape(q.shape[1], self.width)


class Nodes:
    """Collects the nodes of a graph; each method returns the name of its result."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def add(self, op: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        name = to or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def const(self, value: Any, kind: type = np.int64) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value, kind)
        return name

    def weight(self, name: str) -> str:
        self.constants[f"w_{name}"] = self.toy.weights[name]
        return f"w_{name}"

    def size(self, tensor: str, axis: int) -> str:
        """INT64 [1]."""
        return self.add("Gather", self.add("Shape", tensor), self.const([axis]))

    def split(self, x: str, to: str | None = None) -> str:
        """[n, t, width] -> [n, heads, t, head_dim]."""
        shape = self.const([0, 0, self.toy.heads, self.toy.head_dim])
        return self.add("Transpose", self.add("Reshape", x, shape), perm=[0, 2, 1, 3], to=to)

    def attend(self, q: str, k: str, v: str, bias: str | None) -> str:
        """Heads split; returns [n, t, width]."""
        scores = self.add("MatMul", q, self.add("Transpose", k, perm=[0, 1, 3, 2]))
        scores = self.add("Div", scores, self.const(self.toy.head_dim**0.5, np.float32))
        if bias:
            scores = self.add("Add", scores, bias)
        y = self.add("MatMul", self.add("Softmax", scores, axis=-1), v)
        return self.add("Reshape", self.add("Transpose", y, perm=[0, 2, 1, 3]), self.const([0, 0, self.toy.width]))

    def bias(self, seen: str) -> str:
        return self.add("Where", seen, self.const(0, np.float32), self.const(HIDDEN, np.float32))

    def save(self, path: Path, inputs: list[Any], outputs: list[Any]) -> None:
        tensors = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "toy", inputs, outputs, tensors)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def value(name: str, kind: int, *dims: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, dims)


def caches(toy: Toy, what: str, rows: str, length: str) -> list[Any]:
    names = [f"{what}_{kind}_{i}" for i in range(toy.layers) for kind in ("key", "value")]
    return [value(name, FLOAT, rows, toy.heads, length, toy.head_dim) for name in names]


def encoder(toy: Toy, path: Path) -> None:
    n = Nodes(toy)
    if toy.source == "tokens":
        inputs = [value("input_ids", INT, "batch", "source"), value("encoder_mask", INT, "batch", "source")]
        places = n.add("Slice", n.weight("source_places"), n.const([0]), n.size("input_ids", 1), n.const([0]))
        h = n.add("Tanh", n.add("Add", n.add("Gather", n.weight("source_tokens"), "input_ids"), places))
    else:
        inputs = [value("mel", FLOAT, "batch", 3, "frames")]
        pairs = n.add("Reshape", n.add("Transpose", "mel", perm=[0, 2, 1]), n.const([0, -1, 6]))
        h = n.add("Tanh", n.add("MatMul", pairs, n.weight("mel")))
    for i in range(toy.layers):
        n.split(n.add("MatMul", h, n.weight(f"ck{i}")), to=f"cross_key_{i}")
        n.split(n.add("MatMul", h, n.weight(f"cv{i}")), to=f"cross_value_{i}")
    n.save(path, inputs, caches(toy, "cross", "batch", "source" if toy.source == "tokens" else "pairs"))


def embed(toy: Toy, path: Path) -> None:
    n = Nodes(toy)
    n.add("Add", *(n.add("Gather", n.weight(table), name) for table, name in _EMBED), to="inputs_embeds")
    ids = [value("input_ids", INT, "rows", "new"), value("position_ids", INT, "rows", "new")]
    n.save(path, ids, [value("inputs_embeds", FLOAT, "rows", "new", toy.width)])


_EMBED = (("tokens", "input_ids"), ("places", "position_ids"))


def decoder(toy: Toy, path: Path) -> None:
    n = Nodes(toy)
    if toy.embeds:
        inputs = [value("inputs_embeds", FLOAT, "rows", "new", toy.width)]
        x = "inputs_embeds"
    else:
        inputs = [value(name, INT, "rows", "new") for _, name in _EMBED]
        x = n.add("Add", *(n.add("Gather", n.weight(table), name) for table, name in _EMBED))
    inputs += [value("mask", INT, "rows", "total"), *caches(toy, "past", "rows", "past")]
    bias, shape = _self_bias(n, x), n.add("Shape", x)
    cross_bias = None
    if toy.source:
        inputs += caches(toy, "cross", "batch", "source")
    if toy.source == "tokens":
        inputs.append(value("encoder_mask", INT, "batch", "source"))
        cross_bias = n.bias(n.add("Unsqueeze", n.add("Greater", "encoder_mask", n.const(0)), n.const([1, 2])))
    for i in range(toy.layers):
        q, k, v = (n.split(n.add("MatMul", x, n.weight(f"{name}{i}"))) for name in "qkv")
        k = n.add("Concat", f"past_key_{i}", k, axis=2, to=f"present_key_{i}")
        v = n.add("Concat", f"past_value_{i}", v, axis=2, to=f"present_value_{i}")
        x = n.add("Add", x, n.add("MatMul", n.attend(q, k, v, bias), n.weight(f"o{i}")))
        if toy.source:
            q = n.add("MatMul", x, n.weight(f"cq{i}"))
            folded = n.add("Concat", n.size(f"cross_key_{i}", 0), n.const([-1, toy.width]), axis=0)
            q = n.split(n.add("Reshape", q, folded))
            y = n.attend(q, f"cross_key_{i}", f"cross_value_{i}", cross_bias)
            x = n.add("Add", x, n.add("MatMul", n.add("Reshape", y, shape), n.weight(f"co{i}")))
        x = n.add("Tanh", x, to="hidden" if toy.hidden and i == toy.layers - 1 else None)
    n.add("MatMul", x, n.weight("out"), to="logits")
    outputs = [value("logits", FLOAT, "rows", "new", toy.vocab), *caches(toy, "present", "rows", "total")]
    outputs += [value("hidden", FLOAT, "rows", "new", toy.width)] * toy.hidden
    n.save(path, inputs, outputs)


def slots_decoder(toy: Toy, path: Path) -> None:
    n = Nodes(toy)
    inputs = [value("inputs_embeds", FLOAT, "rows", "new", toy.width)]
    inputs += [value("row_lengths", INT32, "rows"), value("total_length", INT32, 1)]
    inputs += caches(toy, "past", "rows", "capacity")
    x = "inputs_embeds"
    for i in range(toy.layers):
        qkv = n.add("Concat", *(n.add("MatMul", x, n.weight(f"{name}{i}")) for name in "qkv"), axis=2)
        wanted = [qkv, "", "", f"past_key_{i}", f"past_value_{i}", "row_lengths", "total_length"]
        given = [f"attended_{i}", f"present_key_{i}", f"present_value_{i}"]
        heads = {"num_heads": toy.heads, "kv_num_heads": toy.heads}
        n.nodes.append(helper.make_node("GroupQueryAttention", wanted, given, domain=CONTRIB, **heads))
        x = n.add("Add", x, n.add("MatMul", given[0], n.weight(f"o{i}")))
        x = n.add("Tanh", x, to="hidden" if toy.hidden and i == toy.layers - 1 else None)
    n.add("MatMul", x, n.weight("out"), to="logits")
    outputs = [value("logits", FLOAT, "rows", "new", toy.vocab), *caches(toy, "present", "rows", "capacity")]
    outputs += [value("hidden", FLOAT, "rows", "new", toy.width)] * toy.hidden
    n.save(path, inputs, outputs)


def _self_bias(n: Nodes, x: str) -> str:
    """[R, 1, T, P+T]."""
    zero, one = n.const(0), n.const(1)
    total, new = (n.add("Squeeze", n.size(tensor, 1)) for tensor in ("mask", x))
    last = n.add("Unsqueeze", n.add("Range", n.add("Sub", total, new), total, one), n.const([1]))
    causal = n.add("LessOrEqual", n.add("Range", zero, total, one), last)
    real = n.add("Unsqueeze", n.add("Greater", "mask", zero), n.const([1]))
    return n.add("Unsqueeze", n.bias(n.add("And", real, causal)), n.const([1]))


def gather(toy: Toy, path: Path) -> None:
    n = Nodes(toy)
    inputs = [value("rows", INT, "chosen"), *caches(toy, "past", "rows", "past")]
    for tensor in inputs[1:]:
        n.add("Gather", tensor.name, "rows", axis=0, to=tensor.name.replace("past", "present"))
    n.save(path, inputs, caches(toy, "present", "chosen", "past"))
