"""The network, its calibration and its served graph, at reduced width."""

import numpy as np
import onnx
import pytest
import torch

from export.onnx_file import trace
from export.parity import check_parity
from export.runtime import open_graph
from export.sentence_boundary.calibration import calibrate, last_logits
from export.sentence_boundary.examples import Example
from export.sentence_boundary.family import FAMILY
from export.sentence_boundary.half_weights import round_weights, store_half
from export.sentence_boundary.tokens import TOKENISER


@pytest.fixture(scope="module")
def network():
    made = FAMILY.load(FAMILY.synth(3, FAMILY.reduced_width)).eval()
    round_weights(made)
    return made


@pytest.fixture(scope="module")
def graphs(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    for name in ("full.onnx", "half.onnx"):
        trace(FAMILY, FAMILY.graph(network), folder / name)
    store_half(folder / "half.onnx")
    return folder


def test_the_served_graph_answers_as_the_network_does_for_each_text_alone(network, graphs):
    check_parity(FAMILY, network, open_graph(graphs / "half.onnx"), "fp32", seed=8)


def test_half_the_file_holds_the_same_numbers(network, graphs):
    full, half = graphs / "full.onnx", graphs / "half.onnx"
    assert half.stat().st_size < 0.6 * full.stat().st_size
    inputs = FAMILY.samples(np.random.default_rng(1), 8)
    assert np.array_equal(open_graph(full)(inputs)["COMPLETE"], open_graph(half)(inputs)["COMPLETE"])
    stored = {each.data_type for each in onnx.load(half).graph.initializer if np.prod(each.dims) >= 256}
    assert onnx.TensorProto.FLOAT not in stored


def test_what_follows_changes_no_earlier_answer(network):
    tokens = torch.from_numpy(FAMILY.samples(np.random.default_rng(2), 1)["TOKENS"].astype(np.int64))
    changed = tokens.clone()
    changed[:, 10:] = 1
    with torch.no_grad():
        assert torch.allclose(network(tokens)[:, :10], network(changed)[:, :10], atol=1e-6)


def test_a_text_without_words_is_never_complete(graphs):
    run = open_graph(graphs / "half.onnx")
    texts = np.stack([TOKENISER.features_of(text) for text in ("", "... ?!", "—", "yes", "7")])
    answers = run({"TOKENS": texts})["COMPLETE"][:, 0]
    assert not answers[:3].any()
    assert (answers[3:] > 0).all()


def test_calibration_makes_the_answers_more_likely():
    made = FAMILY.load(FAMILY.synth(5, FAMILY.reduced_width)).eval()
    texts = [(f"{word} {other}", word < other) for word in "abcdefgh" for other in "abcdefgh"]
    examples = [Example(text, complete, "en", "speech", "whole", "g") for text, complete in texts]
    truth = torch.tensor([float(each.complete) for each in examples])

    def loss() -> float:
        with torch.no_grad():
            answers = made.probability(last_logits(made, examples))
        return float(torch.nn.functional.binary_cross_entropy(answers, truth))

    before = loss()
    calibrate(made, examples)
    assert loss() < before
    assert loss() <= 0.6931 + 1e-4  # never worse than not to know
