"""decoder.onnx with its buffers in place computes what the blocks compute without any cache."""

import numpy as np
import pytest
import torch

from export.checkpoint import load_strict
from export.precision.graphs import open_written, write_graph
from export.xtts.family import FAMILY
from export.xtts.network import Gpt, Xtts
from export.xtts.runner import Decoder

LENGTHS = (7, 20, 12)
STEPS = 6
CAPACITY = 32


@pytest.fixture(scope="module")
def gpt(xtts_folder, xtts_settings) -> Gpt:
    loaded = load_strict(Xtts(xtts_settings), FAMILY.read(xtts_folder).state)
    assert isinstance(loaded, Xtts)
    return loaded.gpt


@pytest.fixture(scope="module")
def rows(xtts_settings) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((1, length + STEPS, xtts_settings.width)).astype(np.float32) for length in LENGTHS]


@pytest.fixture(scope="module")
def expected(gpt, rows) -> list[tuple[np.ndarray, np.ndarray]]:
    with torch.no_grad():
        return [tuple(each.numpy() for each in gpt(torch.from_numpy(row))) for row in rows]


def begin(decoder: Decoder, rows: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        decoder.prefill(index, row[:, :length]) for index, (row, length) in enumerate(zip(rows, LENGTHS, strict=True))
    ]


def next_of(rows: list[np.ndarray], step: int) -> np.ndarray:
    return np.concatenate([row[:, length + step, None] for row, length in zip(rows, LENGTHS, strict=True)])


def test_rows_of_different_lengths_step_together_as_they_would_alone(xtts_graphs, xtts_settings, rows, expected):
    decoder = Decoder(xtts_graphs / "decoder.onnx", xtts_settings, CAPACITY, len(rows))
    for found, length, wanted in zip(begin(decoder, rows), LENGTHS, expected, strict=True):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other[:, :length], rtol=0, atol=1e-4)
    for step in range(STEPS):
        found = decoder.step(next_of(rows, step))
        for index, length in enumerate(LENGTHS):
            for one, other in zip(found, expected[index], strict=True):
                np.testing.assert_allclose(one[index], other[0, length + step, None], rtol=0, atol=1e-4)
    assert decoder.lengths.tolist() == [length + STEPS for length in LENGTHS]


def test_a_row_that_begins_anew_knows_nothing_of_what_was_there(xtts_graphs, xtts_settings, rows, expected):
    decoder = Decoder(xtts_graphs / "decoder.onnx", xtts_settings, CAPACITY, 1)
    decoder.prefill(0, rows[1])
    logits, hidden = decoder.prefill(0, rows[0])
    np.testing.assert_allclose(logits, expected[0][0], rtol=0, atol=1e-4)
    np.testing.assert_allclose(hidden, expected[0][1], rtol=0, atol=1e-4)


def test_the_first_rows_may_go_on_without_the_others(xtts_graphs, xtts_settings, rows, expected):
    decoder = Decoder(xtts_graphs / "decoder.onnx", xtts_settings, CAPACITY, len(rows))
    begin(decoder, rows)
    logits, _ = decoder.step(next_of(rows, 0)[:1])
    np.testing.assert_allclose(logits[0], expected[0][0][0, LENGTHS[0], None], rtol=0, atol=1e-4)
    assert decoder.lengths.tolist() == [LENGTHS[0] + 1, *LENGTHS[1:]]


def test_rows_do_not_outgrow_their_buffers(xtts_graphs, xtts_settings, rows):
    decoder = Decoder(xtts_graphs / "decoder.onnx", xtts_settings, LENGTHS[0], 1)
    with pytest.raises(ValueError, match=f"do not fit into {LENGTHS[0]}"):
        decoder.prefill(0, rows[1])
    decoder.prefill(0, rows[0][:, : LENGTHS[0]])
    with pytest.raises(ValueError, match="do not fit"):
        decoder.step(rows[0][:, :1])
    with pytest.raises(ValueError, match="one position a row"):
        decoder.step(rows[0][:, :2])


def test_buffers_can_only_be_bound_to_a_session(xtts_settings):
    with pytest.raises(TypeError, match="session of ONNX Runtime"):
        Decoder(dict, xtts_settings, CAPACITY, 1)


def test_int8_weights_go_through_the_same_buffers(xtts_graphs, xtts_settings, rows, expected, tmp_path):
    described = write_graph(xtts_graphs / "decoder.onnx", tmp_path / "decoder.onnx", "decoder", "int8")
    assert described["weights"].startswith("int8 in blocks")
    decoder = Decoder(open_written(tmp_path / "decoder.onnx"), xtts_settings, CAPACITY, len(rows))
    begin(decoder, rows)
    logits, hidden = decoder.step(next_of(rows, 0))
    for index, length in enumerate(LENGTHS):
        for one, other in ((logits, expected[index][0]), (hidden, expected[index][1])):
            error = np.abs(one[index, 0] - other[0, length]).mean() / other.std()
            assert 0 < error < 0.05
