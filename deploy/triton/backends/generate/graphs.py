"""The graphs of one version: opened, held against generation.json, and run. Caches are OrtValues throughout."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from engine_kit.ort_options import Options
from engine_kit.ort_session import open_session, run_options
from numpy.typing import NDArray

from .fields import BadFolder
from .folder import GenerationSettings, VersionFolder
from .values import CPU, OrtValue, Session, bind_rows, empty_value, of_array, outputs_of

PAD_FRONT = Path(__file__).parent / "pad_front.onnx"
"""Copies a cache, zeros in front; the same for every model. Made by pad_front.py."""


def layer_names(what: str, layers: int) -> list[str]:
    """Return past_key_0, past_value_0, past_key_1 ...: the order in which this backend keeps a cache's tensors."""
    return [f"{what}_{kind}_{layer}" for layer in range(layers) for kind in ("key", "value")]


@dataclass(frozen=True)
class Graphs:
    """One version's sessions."""

    settings: GenerationSettings
    decoder: Session
    encoder: Session | None
    reorder: Session | None
    embed: Session | None
    pad_front: Session
    recurring: OrderedDict[str, list[NDArray[np.float32]]] = field(default_factory=OrderedDict)
    """Caches [heads, positions, head_dim] of beginnings that recur, by their keys, the last used last (slots.py)."""

    @cached_property
    def past_names(self) -> list[str]:
        """Names of the cache's tensors as the decoder's inputs."""
        return layer_names("past", self.settings.layers)

    @cached_property
    def present_names(self) -> list[str]:
        """Names of the cache's tensors as outputs, in the same order."""
        return layer_names("present", self.settings.layers)

    @cached_property
    def cross_names(self) -> list[str]:
        """Names of the cross-attention's keys and values; [] for decoder-only models."""
        return layer_names("cross", self.settings.layers) if self.encoder else []

    @property
    def has_slots(self) -> bool:
        """Tell whether a cache is one buffer that the decoder reads and writes in place (slots.py)."""
        return "row_lengths" in self.decoder.inputs

    @property
    def masks_source(self) -> bool:
        """Tell whether sources of different lengths may be padded and decoded together."""
        return "encoder_mask" in self.decoder.inputs

    @property
    def hidden_width(self) -> int:
        """Size of the decoder's `hidden` output."""
        return int(self.decoder.outputs["hidden"].shape[2])

    def gather(self, values: Sequence[OrtValue], rows: Sequence[int]) -> list[OrtValue]:
        """Return rows of caches, or of cross keys and values, [n, heads, length, head_dim]: row j is `rows[j]`."""
        assert self.reorder is not None
        binding = self.reorder.binding()
        chosen = np.array(rows, np.int64)
        binding.bind_ortvalue_input("rows", of_array(chosen))
        for name, value in zip(self.past_names, values, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in self.present_names:
            binding.bind_output(name, CPU)
        self.reorder.run(binding)
        return outputs_of(binding)

    def join(self, parts: Sequence[tuple[Sequence[OrtValue], int]]) -> list[OrtValue]:
        """Put the rows of several caches below each other; each part with so many zero positions in front.

        Every part must come to the same length.
        """
        joined = []
        for tensors in zip(*(values for values, _ in parts), strict=True):
            shapes = [tensor.shape() for tensor in tensors]
            length = shapes[0][2] + parts[0][1]
            whole = empty_value((sum(shape[0] for shape in shapes), shapes[0][1], length, shapes[0][3]))
            row = 0
            for tensor, shape, (_, front) in zip(tensors, shapes, parts, strict=True):
                self._copy(tensor, front, whole, row, shape[0])
                row += shape[0]
            joined.append(whole)
        return joined

    def _copy(self, tensor: OrtValue, front: int, whole: OrtValue, first_row: int, rows: int) -> None:
        zeros = np.array([front], np.int64)
        binding = self.pad_front.binding()
        binding.bind_ortvalue_input("tensor", tensor)
        binding.bind_ortvalue_input("front", of_array(zeros))
        bind_rows(binding, "padded", whole, first_row, rows)
        self.pad_front.run(binding)

    def embedded(self, ids: NDArray[np.int64], positions: NDArray[np.int64]) -> OrtValue:
        """Return inputs_embeds [R, T, width] of tokens [R, T]."""
        assert self.embed is not None
        binding = self.embed.binding()
        binding.bind_ortvalue_input("input_ids", of_array(ids))
        binding.bind_ortvalue_input("position_ids", of_array(positions))
        binding.bind_output("inputs_embeds", CPU)
        self.embed.run(binding)
        return outputs_of(binding)[0]


def open_graphs(folder: VersionFolder, options: Options, log: Callable[[str], None]) -> Graphs:
    """Open what the folder holds; BadFolder names the graph and the tensor that does not fit.

    Threads do not spin unless the config says so: on two free cores spinning gains nothing that can be measured (30
    tokens in 76 ms or 81, eight texts in 249 or 236), it costs half as much processor time again, and beside other work
    it makes a step take several times as long. An `openvino` block is for a family's own graphs (feed_forward.py):
    these are made of ONNX Runtime's operators.
    """
    options = replace(options, openvino=None)
    if options.allow_spinning is None:
        options = replace(options, allow_spinning=False)

    def session(path: Path, chosen: Options = options) -> Session:
        return Session(open_session(path, chosen, log), run_options(chosen))

    # One thread for what only copies: the threads of a pool of its own would go on looking for work, on the decoder's
    # cores, after every step of a beam search.
    small = replace(options, intra_op_num_threads=1)
    encoder, embed = folder.optional_file("encoder.onnx"), folder.optional_file("embed.onnx")
    decoder = session(folder.file("decoder.onnx"))
    moves_rows = "row_lengths" not in decoder.inputs
    graphs = Graphs(
        settings=folder.settings,
        decoder=decoder,
        encoder=session(encoder) if encoder else None,
        reorder=session(folder.file("reorder.onnx"), small) if moves_rows else None,
        embed=session(embed, small) if embed else None,
        pad_front=session(PAD_FRONT, small),
    )
    _check(folder, graphs)
    return graphs


def _check(folder: VersionFolder, graphs: Graphs) -> None:
    settings, decoder = folder.settings, graphs.decoder
    cache = (None, settings.heads, None, settings.head_dim)
    past = dict.fromkeys(layer_names("past", settings.layers), cache)
    present = dict.fromkeys(layer_names("present", settings.layers), cache)
    cross = dict.fromkeys(graphs.cross_names, cache)
    lengths = {"row_lengths": (None,), "total_length": (1,)} if graphs.has_slots else {"mask": (None, None)}
    _require(folder, "decoder.onnx", decoder.inputs, {**lengths, **past, **cross})
    _require(folder, "decoder.onnx", decoder.outputs, {"logits": (None, None, settings.vocab_size), **present})
    known = {*lengths, "input_ids", "position_ids", "inputs_embeds", "encoder_mask", *past, *cross}
    if graphs.has_slots:
        known -= {"input_ids", "position_ids", "encoder_mask"}
    if odd := sorted(set(decoder.inputs) - known):
        raise BadFolder(folder.path, f"decoder.onnx wants {', '.join(odd)}, which this backend does not give")
    if ("inputs_embeds" in decoder.inputs) != (graphs.embed is not None):
        raise BadFolder(folder.path, "embed.onnx goes with a decoder.onnx that takes inputs_embeds, neither alone")
    if ("inputs_embeds" in decoder.inputs) == ("input_ids" in decoder.inputs):
        raise BadFolder(folder.path, "decoder.onnx must take either input_ids or inputs_embeds")
    if graphs.encoder:
        _require(folder, "encoder.onnx", graphs.encoder.outputs, cross)
    if "hidden" in decoder.outputs and not isinstance(decoder.outputs["hidden"].shape[2], int):
        raise BadFolder(folder.path, "decoder.onnx: the last axis of hidden must have a fixed size")
    if graphs.embed:
        _require(folder, "embed.onnx", graphs.embed.inputs, {"input_ids": (None, None), "position_ids": (None, None)})
        _require(folder, "embed.onnx", graphs.embed.outputs, {"inputs_embeds": (None, None, None)})
    if graphs.has_slots and graphs.encoder:
        raise BadFolder(folder.path, "decoder.onnx has row_lengths: such decoders go without encoder.onnx")
    if graphs.reorder:
        _require(folder, "reorder.onnx", graphs.reorder.inputs, {"rows": (None,), **past})
        _require(folder, "reorder.onnx", graphs.reorder.outputs, present)


def _require(
    folder: VersionFolder, file: str, tensors: Mapping[str, Any], wanted: Mapping[str, tuple[int | None, ...]]
) -> None:
    for name, shape in wanted.items():
        if name not in tensors:
            raise BadFolder(folder.path, f"{file} has no {name}; it has {', '.join(sorted(tensors))}")
        found = tuple(tensors[name].shape)
        fits = len(found) == len(shape) and all(
            want is None or not isinstance(size, int) or size == want for size, want in zip(found, shape, strict=False)
        )
        if not fits:
            text = [size if size is not None else "any" for size in shape]
            raise BadFolder(folder.path, f"{file}: {name} is {list(found)}, generation.json says {text}")
