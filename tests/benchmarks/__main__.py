"""`python -m tests.benchmarks [--only GROUP]`: run the measurements, all or one group, into out/bench/results.json."""

import argparse
import importlib

GROUPS = {
    "queues": ("bench_queues",),
    "language": ("bench_language",),
    "xtts": ("bench_xtts",),
    "e2e": ("bench_e2e",),
    "timing": ("bench_boundary", "bench_av_offset", "bench_translation"),
    "lips": ("bench_lips", "bench_tracking", "bench_faces", "bench_speaker"),
    "swap": ("bench_swap",),
}
"""Group -> modules of this folder with a `main()`; one after the other, never two at once."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(GROUPS), help="one group")
    only = parser.parse_args().only
    for name in [only] if only else GROUPS:
        print(f"== {name}", flush=True)
        for module in GROUPS[name]:
            importlib.import_module(f"tests.benchmarks.{module}").main()


if __name__ == "__main__":
    main()
