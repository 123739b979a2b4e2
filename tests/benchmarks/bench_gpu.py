"""The paper's Table III on a CUDA GPU: Wav2Lip and S3FD at full size, in PyTorch and ONNX Runtime, at several batches.

    python -m tests.benchmarks.bench_gpu [--network wav2lip] [--batch 1 8 32 64] [--out out/bench/gpu.json]

Stand-alone: needs PyTorch with CUDA; ONNX Runtime with CUDA (and onnx) only for its own rows. Weights are random: they
do not change how long a run takes. Every run is the network alone on inputs that lie on the GPU already, timed by CUDA
events: mean, standard deviation and minimum of 100 runs after 5 warm-ups. It is no group of `make bench`.
"""

import argparse
import gc
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from export.s3fd.network import PUBLISHED_WIDTH, S3fd
from export.s3fd.synth import synthesise as synthesise_s3fd
from export.wav2lip.network import FACE_SIZE_PX, MEL_STEPS, MELS, PUBLISHED_UNIT, Wav2Lip
from export.wav2lip.synth import synthesise as synthesise_wav2lip
from tests.benchmarks.gpu_timing import NotRun, Timing, summary, table, times_ms
from tests.benchmarks.gpu_variants import BASELINE, VARIANTS, Unavailable

RUNS, WARMUPS = 100, 5
BATCHES = (1, 8, 32, 64)
PICTURE_PX = (360, 640)
"""Height and width of S3FD's pictures, as in the paper's clips scaled for detection."""


def wav2lip() -> nn.Module:
    """The published size."""
    network = Wav2Lip(PUBLISHED_UNIT)
    network.load_state_dict(synthesise_wav2lip(0, PUBLISHED_UNIT))
    return network


def wav2lip_inputs(batch: int) -> tuple[Tensor, ...]:
    """Mel windows and masked faces."""
    return torch.rand(batch, 1, MELS, MEL_STEPS) * 8 - 4, torch.rand(batch, 6, FACE_SIZE_PX, FACE_SIZE_PX)


def s3fd() -> nn.Module:
    """The published size."""
    network = S3fd(PUBLISHED_WIDTH)
    network.load_state_dict(synthesise_s3fd(PUBLISHED_WIDTH, 0))
    return network


def s3fd_inputs(batch: int) -> tuple[Tensor, ...]:
    """Pictures with the mean subtracted."""
    return (torch.rand(batch, 3, *PICTURE_PX) * 255 - 117,)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], tuple[Tensor, ...]]]] = {
    "wav2lip": (wav2lip, wav2lip_inputs),
    "s3fd": (s3fd, s3fd_inputs),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; 1 without a CUDA device."""
    asked = _parsed(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("bench_gpu: PyTorch sees no CUDA device here; nothing was measured", file=sys.stderr)
        return 1
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    results: list[Timing | NotRun] = []
    for name in asked.network:
        results += measure(name, asked)
    print(table(results, BASELINE))
    facts = {**machine(asked.device), "runs": asked.runs, "warmups": asked.warmups}
    print("\n".join(f"{key}: {value}" for key, value in facts.items()))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(each) for each in results]
    asked.out.write_text(json.dumps({**facts, "results": rows}, indent=2) + "\n")
    print(f"written to {asked.out}")
    return 0 if any(isinstance(each, Timing) for each in results) else 1


def measure(name: str, asked: argparse.Namespace) -> list[Timing | NotRun]:
    """Time every variant of one network at every batch size."""
    make, make_inputs = NETWORKS[name]
    torch.manual_seed(0)
    network = make().eval().requires_grad_(False).to(asked.device)
    results: list[Timing | NotRun] = []
    for batch in asked.batch:
        inputs = tuple(tensor.to(asked.device) for tensor in make_inputs(batch))
        with torch.no_grad():
            expected = [output.float().cpu() for output in VARIANTS[BASELINE](network, inputs)()]
            for variant in asked.variant:
                print(f"{name}, batch {batch}: {variant}", flush=True)
                results.append(_timed(name, variant, batch, network, inputs, expected, asked))
                gc.collect()
                if asked.device == "cuda":
                    torch.cuda.empty_cache()
    return results


def _timed(
    name: str,
    variant: str,
    batch: int,
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    expected: Sequence[Tensor],
    asked: argparse.Namespace,
) -> Timing | NotRun:
    try:
        run = VARIANTS[variant](network, inputs)
        times = times_ms(run, asked.device, asked.runs, asked.warmups)
        got = [output.float().cpu() for output in run()]
    except Unavailable as why:
        return NotRun(name, variant, batch, str(why))
    except Exception as error:  # out of memory, a kernel that is not there: told in the table, the others go on
        return NotRun(name, variant, batch, f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
    difference = max(float((one - other).abs().max()) for one, other in zip(got, expected, strict=True))
    return Timing(name, variant, batch, *summary(times), difference)


def machine(device: str) -> dict[str, str]:
    """What was measured on."""
    facts = {"device": platform.processor() or platform.machine(), "python": platform.python_version()}
    facts["torch"] = torch.__version__
    if device == "cuda":
        major, minor = torch.cuda.get_device_capability()
        facts |= {
            "device": torch.cuda.get_device_name(),
            "compute_capability": f"{major}.{minor}",
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }
    return facts


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", choices=sorted(NETWORKS), default=sorted(NETWORKS, reverse=True))
    parser.add_argument("--variant", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--batch", nargs="+", type=int, default=list(BATCHES))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--warmups", type=int, default=WARMUPS)
    parser.add_argument("--out", type=Path, default=Path("out/bench/gpu.json"))
    # Not for figures: shows on a machine without a GPU that the script itself works.
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
