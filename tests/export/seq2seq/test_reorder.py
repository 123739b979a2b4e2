import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from export.precision.graphs import open_written
from export.seq2seq.reorder import write_reorder
from export.seq2seq.tensors import Shape, decoder_inputs

SHAPE = Shape(layers=2, heads=3, head_dim=4, vocab_size=9, max_positions=16)


def graph(folder):
    path = folder / "reorder.onnx"
    write_reorder(decoder_inputs(SHAPE, encoder_mask=True), path)
    return path


def test_rows_are_picked_in_any_order_and_number_of_caches_of_any_length(tmp_path_factory):
    run = open_written(graph(tmp_path_factory.mktemp("reorder")))

    @settings(max_examples=30, deadline=None)
    @given(st.data(), st.integers(1, 5), st.integers(0, 6))
    def holds(data, rows, past):
        picked = data.draw(st.lists(st.integers(0, rows - 1), max_size=7))
        rng = np.random.default_rng(rows + past)
        caches = {
            f"past_{kind}_{layer}": rng.standard_normal((rows, 3, past, 4)).astype(np.float32)
            for layer in range(2)
            for kind in ("key", "value")
        }
        outputs = run({"rows": np.array(picked, np.int64), **caches})
        assert outputs.keys() == {name.replace("past", "present") for name in caches}
        for name, array in caches.items():
            np.testing.assert_array_equal(outputs[name.replace("past", "present")], array[picked])

    holds()


def test_the_graph_holds_nothing_but_the_picking(tmp_path):
    model = onnx.load(graph(tmp_path))
    assert {node.op_type for node in model.graph.node} == {"Gather"}
    assert len(model.graph.initializer) == 0
