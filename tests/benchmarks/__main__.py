"""`python -m tests.benchmarks [--only GROUP]`: run the measurements, all or one group, into out/bench/results.json."""

import argparse
import importlib

GROUPS = {"queues": "tests.benchmarks.bench_queues", "e2e": "tests.benchmarks.bench_e2e"}
"""Group -> module with a `main()`; one after the other, never two at once."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(GROUPS), help="one group")
    only = parser.parse_args().only
    for name in [only] if only else GROUPS:
        print(f"== {name}", flush=True)
        importlib.import_module(GROUPS[name]).main()


if __name__ == "__main__":
    main()
