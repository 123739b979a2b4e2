"""Puts the engines' own files where their tests can import them, as Triton's stub does for each engine."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2] / "model_repository"

sys.path.extend(str(version) for version in sorted(REPOSITORY.glob("*/1")))
