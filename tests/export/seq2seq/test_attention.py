"""Attention with a cache is attention over everything at once; beams share their source; padding counts nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.bundle.graph import Graph
from export.bundle.onnx_files import write
from export.precision.graphs import open_written
from export.seq2seq.attention import (
    CrossAttention,
    CrossKeysValues,
    SelfAttention,
    causal_bias,
    padding_bias,
    split_heads,
)
from export.seq2seq.tensors import examples
from export.signature import Tensor

WIDTH, HEADS = 12, 3
SIZE = WIDTH // HEADS


def linear(*, bias=True):
    return nn.Linear(WIDTH, WIDTH, bias=bias)


@pytest.fixture(scope="module")
def attention():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return SelfAttention(linear(), linear(bias=False), linear(), linear(), HEADS).eval()


def nothing(rows):
    return torch.zeros(rows, HEADS, 0, SIZE)


def ones(rows, count):
    return torch.ones(rows, count, dtype=torch.int64)


def states(seed, rows, count):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, count, WIDTH), np.float32))


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 4), first=st.integers(1, 5), rest=st.integers(1, 5), seed=st.integers(0, 99))
def test_tokens_in_two_steps_are_the_tokens_at_once(attention, rows, first, rest, seed):
    x = states(seed, rows, first + rest)
    with torch.no_grad():
        whole, keys, values = attention.cached(
            x, causal_bias(ones(rows, first + rest), x), nothing(rows), nothing(rows)
        )
        begun = attention.cached(
            x[:, :first], causal_bias(ones(rows, first), x[:, :first]), nothing(rows), nothing(rows)
        )
        later = attention.cached(x[:, first:], causal_bias(ones(rows, first + rest), x[:, first:]), *begun[1:])
    torch.testing.assert_close(torch.cat([begun[0], later[0]], dim=1), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(later[1], keys, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(later[2], values, atol=1e-6, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(padding=st.integers(1, 4), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_what_stands_at_padding_changes_nothing_and_is_never_nan(attention, padding, count, seed):
    x = states(seed, 2, count)
    noise = 100 * states(seed + 1, 2, padding)
    mask = torch.cat([torch.zeros(2, padding, dtype=torch.int64), ones(2, count)], dim=1)
    padded = torch.cat([noise, x], dim=1)
    with torch.no_grad():
        plain, *_ = attention.cached(x, causal_bias(ones(2, count), x), nothing(2), nothing(2))
        got, *_ = attention.cached(padded, causal_bias(mask, padded), nothing(2), nothing(2))
    torch.testing.assert_close(got[:, padding:], plain, atol=1e-6, rtol=1e-5)
    assert torch.isfinite(got).all()


@settings(max_examples=20, deadline=None)
@given(sources=st.integers(1, 3), beams=st.integers(1, 4), new=st.integers(1, 3), seed=st.integers(0, 99))
def test_beams_attend_as_if_each_had_its_own_copy_of_the_source(sources, beams, new, seed):
    torch.manual_seed(seed)
    cross = CrossAttention(linear(), linear(), HEADS).eval()
    x = states(seed, sources * beams, new)
    key, value = (split_heads(states(seed + part, sources, 6), HEADS) for part in (1, 2))
    mask = ones(sources, 6)
    mask[0, 4:] = 0
    copies = [each.repeat_interleave(beams, dim=0) for each in (key, value, mask)]
    with torch.no_grad():
        folded = cross(x, key, value, padding_bias(mask))
        copied = cross(x, copies[0], copies[1], padding_bias(copies[2]))
    torch.testing.assert_close(folded, copied, atol=1e-6, rtol=1e-5)


def test_one_product_gives_what_three_give(attention):
    x = states(4, 2, 5)
    query, key, value = attention.query_key_value.split(x, 3)
    assert attention.query_key_value.bias[WIDTH : 2 * WIDTH].eq(0).all()  # the key's, which it had none of
    assert query.shape == key.shape == value.shape == x.shape


def test_keys_and_values_of_the_source_come_layer_by_layer():
    layers = [(linear(bias=False), linear()) for _ in range(2)]
    encoded = states(3, 2, 4)
    with torch.no_grad():
        got = CrossKeysValues(layers, HEADS)(encoded)
        wanted = [split_heads(part(encoded), HEADS) for pair in layers for part in pair]
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


class _Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.own, self.cross = (
            SelfAttention(linear(), linear(), linear(), linear(), HEADS),
            CrossAttention(linear(), linear(), HEADS),
        )

    def forward(self, x, mask, past_key, past_value, cross_key, cross_value, encoder_mask):
        y, key, value = self.own.cached(x, causal_bias(mask, x), past_key, past_value)
        return self.cross(y, cross_key, cross_value, padding_bias(encoder_mask)), key, value


def test_the_traced_nodes_compute_what_the_modules_compute_at_any_size(tmp_path):
    past = ("rows", HEADS, "past", SIZE)
    source = ("batch", HEADS, "source", SIZE)
    inputs = (
        Tensor("x", "FP32", ("rows", "new", WIDTH)), Tensor("mask", "INT64", ("rows", "total")),
        Tensor("past_key", "FP32", past), Tensor("past_value", "FP32", past),
        Tensor("cross_key", "FP32", source), Tensor("cross_value", "FP32", source),
        Tensor("encoder_mask", "INT64", ("batch", "source")),
    )  # fmt: skip
    present = ("rows", HEADS, "total", SIZE)
    outputs = (
        inputs[0].__class__("y", "FP32", ("rows", "new", WIDTH)),
        Tensor("key", "FP32", present),
        Tensor("value", "FP32", present),
    )
    module = _Both().eval()
    graph = Graph("decoder", module, inputs, outputs, examples(inputs))
    write(graph, graph.path(tmp_path))
    run = open_written(graph.path(tmp_path))
    rng = np.random.default_rng(2)
    for rows, batch, new, before, length in ((1, 1, 4, 0, 7), (6, 2, 1, 3, 5), (3, 3, 2, 4, 1), (10, 2, 1, 0, 40)):
        sizes = {"rows": rows, "batch": batch, "new": new, "past": before, "total": before + new, "source": length}
        fed = {
            each.name: np.ones(shape, np.int64)
            if each.data_type == "INT64"
            else rng.standard_normal(shape).astype(np.float32)
            for each in inputs
            for shape in [[sizes.get(size, size) for size in each.dims]]
        }
        fed["mask"][0, : before + new - 1] = 0
        with torch.no_grad():
            wanted = module(*(torch.from_numpy(fed[each.name]) for each in inputs))
        for name, tensor in zip(("y", "key", "value"), wanted, strict=True):
            np.testing.assert_allclose(run(fed)[name], tensor.numpy(), atol=2e-6)
