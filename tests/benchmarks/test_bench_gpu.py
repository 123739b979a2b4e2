import json
import sys

import pytest
import torch
from torch import nn

from tests.benchmarks import bench_gpu
from tests.benchmarks.gpu_timing import NotRun, Timing, summary, table, times_ms
from tests.benchmarks.gpu_variants import VARIANTS, Unavailable, compiled, graphed, tf32


class Tiny(nn.Module):
    """Two inputs, nested outputs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, one, other):
        return [(self.conv(one), self.conv(other).sum())]


@pytest.fixture
def tiny(monkeypatch):
    inputs = (torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8))
    monkeypatch.setitem(bench_gpu.NETWORKS, "wav2lip", (Tiny, lambda batch: inputs))
    return Tiny().eval(), inputs


def test_without_cuda_it_says_so_and_fails(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert bench_gpu.main(["--out", str(tmp_path / "gpu.json")]) == 1
    assert "no CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "gpu.json").exists()


def test_every_way_ends_in_a_row_and_the_file_holds_them(tiny, tmp_path, capsys):
    out = tmp_path / "new" / "gpu.json"
    asked = ["--device", "cpu", "--network", "wav2lip", "--batch", "2", "--runs", "2", "--out", str(out)]
    variants = [name for name in VARIANTS if name != "fp16 compiled"]  # starts a C++ compiler
    assert bench_gpu.main([*asked, "--variant", *variants]) == 0
    told = json.loads(out.read_text())
    assert (told["runs"], told["warmups"], told["torch"]) == (2, 5, torch.__version__)
    rows = {row["variant"]: row for row in told["results"]}
    assert list(rows) == variants
    assert rows["pytorch fp32"]["max_abs"] == 0
    assert 0 < rows["pytorch fp16"]["max_abs"] < 0.1
    assert rows["onnxruntime fp32"]["max_abs"] < 1e-4
    assert "CUDA" in rows["fp16 cuda graph"]["reason"]
    assert "pytorch fp16" in capsys.readouterr().out


def test_a_way_that_breaks_is_a_row_too(tiny, tmp_path, monkeypatch):
    def broken(network, inputs):
        raise RuntimeError("out of memory\nand more")

    monkeypatch.setitem(VARIANTS, "pytorch fp16", broken)
    out = tmp_path / "gpu.json"
    asked = ["--device", "cpu", "--network", "wav2lip", "--batch", "1", "--runs", "1", "--out", str(out)]
    assert bench_gpu.main([*asked, "--variant", "pytorch fp16"]) == 1, "nothing was measured"
    assert json.loads(out.read_text())["results"][0]["reason"] == "RuntimeError: out of memory"


def test_what_only_cuda_has_is_refused_elsewhere(tiny):
    for variant in (tf32, graphed):
        with pytest.raises(Unavailable):
            variant(*tiny)


def test_the_compiled_way_runs_the_half_precision_network(tiny, monkeypatch):
    monkeypatch.setattr("torch.compile", lambda network, dynamic: network)
    (picture, total) = compiled(*tiny)()
    assert (picture.dtype, picture.shape, total.shape) == (torch.float16, (2, 4, 6, 6), ())


def test_onnx_runtime_is_left_out_where_it_is_not_installed(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(Unavailable, match="onnxruntime"):
        VARIANTS["onnxruntime fp32"](*tiny)


def test_warm_ups_are_not_counted():
    calls = []
    times = times_ms(lambda: calls.append(1), "cpu", runs=3, warmups=2)
    assert (len(times), len(calls)) == (3, 5)


def test_the_summary_is_mean_deviation_and_minimum():
    assert summary([1.0, 2.0, 3.0]) == (2.0, 1.0, 1.0)
    assert summary([4.0]) == (4.0, 0.0, 4.0)


def test_the_table_tells_the_speed_up_of_each_batch_and_what_did_not_run():
    rows = [
        Timing("net", "slow", 1, 10.0, 0.1, 9.0, 0.0),
        Timing("net", "fast", 1, 2.0, 0.1, 1.9, 1e-3),
        Timing("net", "fast", 8, 4.0, 0.1, 3.9, 1e-3),
        NotRun("net", "other", 8, "no memory"),
    ]
    _, slow, fast, alone, other = table(rows, "slow").splitlines()
    assert "1.00x" in slow
    assert "5.00x" in fast
    assert "x" not in alone.replace("max", "")
    assert other.endswith("not run: no memory")


@pytest.mark.parametrize("name", bench_gpu.NETWORKS)
def test_the_networks_take_the_inputs_that_are_drawn(name):
    _, make_inputs = bench_gpu.NETWORKS[name]
    assert {len(tensor) for tensor in make_inputs(3)} == {3}
