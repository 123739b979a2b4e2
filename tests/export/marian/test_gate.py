"""The traced graphs against transformers, and what lies beside them."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from export.bundle.graph import Graph
from export.bundle.onnx_files import write
from export.errors import CheckpointRefused, ParityMissed
from export.marian import files
from export.marian.family import FAMILY
from export.marian.network import Marian
from export.marian.plan import beside
from export.marian.settings import read_settings
from export.parity import Runner
from export.runtime import open_graph
from export.seq2seq.reorder import write_reorder
from export.seq2seq.runner import Graphs
from export.signature import Tensors


def in_torch(graph: Graph) -> Runner:
    """Runs a graph without tracing it first."""

    def run(inputs: Tensors) -> Tensors:
        with torch.no_grad():
            outputs = graph.module(*(torch.from_numpy(inputs[each.name]) for each in graph.inputs))
        return {each.name: array.numpy() for each, array in zip(graph.outputs, outputs, strict=True)}

    return run


def untraced(network: nn.Module) -> dict[str, Runner]:
    return {graph.role: in_torch(graph) for graph in FAMILY.graphs(network)}


@pytest.fixture(scope="module")
def graphs(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    for graph in FAMILY.graphs(FAMILY.load(published)):
        write(graph, graph.path(folder))
        if graph.role == "decoder":
            write_reorder(graph.inputs, folder / "reorder.onnx")
    return {role: open_graph(folder / f"{role}.onnx") for role in ("encoder", "decoder", "reorder")}


def test_numbers_and_texts_are_those_of_the_reference_library(published, graphs, tmp_path):
    record = FAMILY.gate(published, graphs, tmp_path, "fp32", 3, lambda step: None)
    seen = {measure.name: measure.value for measure in record.measures}
    assert seen["logits_max_abs"] < 1e-4
    assert seen["greedy_texts_differing"] == seen["beam_texts_differing"] == seen["batch_texts_differing"] == 0
    assert record.inputs["sources"] == 64
    assert record.inputs["distinct_tokens"] > 40  # random weights that always say the same would prove nothing


def test_a_network_that_is_slightly_another_is_refused(published, graphs, tmp_path):
    network = FAMILY.load(published)
    assert isinstance(network, Marian)
    with torch.no_grad():
        network.model.decoder.layers[1].encoder_attn.q_proj.weight *= 1.05
    with pytest.raises(ParityMissed, match="logits_max_abs"):
        FAMILY.gate(published, graphs | untraced(network), tmp_path, "fp32", 3, lambda step: None)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_other_settings_are_those_of_the_reference_library_too(edited, graphs, activation, tmp_path):
    published = FAMILY.read(edited(config={"activation_function": activation, "scale_embedding": False}))
    run = graphs | untraced(FAMILY.load(published))
    inputs = {
        "input_ids": np.array([[5, 9, 7, 0], [5, 0, 1499, 1499]]),
        "encoder_mask": np.array([[1] * 4, [1, 1, 0, 0]]),
    }
    encoded, got = FAMILY.reference(published).encode(inputs), run["encoder"](inputs)
    assert max(float(np.abs(got[name] - array).max()) for name, array in encoded.cross().items()) < 1e-4
    ids = np.array([[1499, 8, 3], [1499, 4, 4]])
    logits = Graphs(run, read_settings(published).shape).start(beside(inputs, got), 2).step(ids)
    assert float(np.abs(logits - encoded.logits(ids)).max()) < 1e-4


def test_the_version_says_how_to_generate(published, tmp_path):
    FAMILY.write_files(published, tmp_path)
    written = json.loads((tmp_path / "generation.json").read_text("utf-8"))
    assert written["family"] == "marian"
    assert (written["start"], written["eos"], written["pad"]) == (1499, [0], 1499)
    assert written["suppress"] == [1499]
    assert written["forced_eos"]
    assert written["defaults"] == {
        "beams": 4, "length_penalty": 1.0, "early_stopping": False, "max_new_tokens": 127,
    }  # fmt: skip
    assert written["marian"] == {"targets": {"es": ""}, "max_source_tokens": 64}
    for name in files.TOKENIZER_FILES:
        assert (tmp_path / name).read_bytes() == (published.path / name).read_bytes()


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        ({"new": 1500}, "does not match the weights: 'new' is number 1500, and they have 1500 tokens"),
        ({"</s>": None}, "vocab.json has no </s>"),
        ({"<pad>": 3}, "<pad> is number 3 in vocab.json and 1499 in config.json"),
    ],
)
def test_a_vocabulary_that_does_not_match_the_weights_is_refused(edited, vocab, message, tmp_path_factory):
    published = FAMILY.read(edited(vocab=vocab))
    with pytest.raises(CheckpointRefused, match=message):
        FAMILY.write_files(published, tmp_path_factory.mktemp("version"))


def test_a_missing_tokenizer_file_is_named(edited, tmp_path_factory):
    path = edited()
    (path / "target.spm").unlink()
    with pytest.raises(CheckpointRefused, match=r"has no file target\.spm"):
        FAMILY.write_files(FAMILY.read(path), tmp_path_factory.mktemp("version"))


def test_the_same_seed_makes_the_same_weights(published, tmp_path):
    FAMILY.synth(tmp_path / "opus-mt-en-es", 1, "reduced")
    FAMILY.synth(tmp_path / "opus-mt-es-en", 2, "reduced")
    again, other = (FAMILY.read(tmp_path / f"opus-mt-{pair}") for pair in ("en-es", "es-en"))
    assert again.sha256 == published.sha256 != other.sha256
    assert read_settings(other) == read_settings(published)


def test_an_unknown_size_is_named_with_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="the sizes are full, big, reduced, reduced-multilingual, not huge"):
        FAMILY.synth(tmp_path / "x", 1, "huge")
