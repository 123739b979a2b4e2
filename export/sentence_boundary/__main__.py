"""`python -m export.sentence_boundary`: train the sentence boundary network anew and install it as the next version.

Downloads about 190 MB of Debian packages once (apt-get, nothing is installed), then takes one core for 20 minutes
or so.
"""

import argparse
import sys
from pathlib import Path

import torch

from export.errors import ExportError
from export.sentence_boundary.build import Job, build, score
from export.sentence_boundary.training import Recipe

CHECKOUT = Path(__file__).parents[2]


def main() -> int:
    """Read the arguments, train, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "model_repository", help="model repository")
    parser.add_argument("--packages", type=Path, default=CHECKOUT / "out" / "corpus", help="where packages are kept")
    parser.add_argument(
        "--sample",
        type=Path,
        default=CHECKOUT / "tests" / "testdata" / "boundary" / "heldout.jsonl",
        help="file for the sample of held-out texts",
    )
    parser.add_argument("--score-only", action="store_true", help="train nothing, score the newest version again")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    job = Job(asked.packages, asked.out, asked.sample, Recipe(seed=asked.seed, steps=asked.steps))
    work = score if asked.score_only else build
    try:
        folder = work(job, lambda line: print(line, flush=True))
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{'scored' if asked.score_only else 'installed'}: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
