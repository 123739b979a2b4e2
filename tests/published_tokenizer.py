"""The reference library's tokenizer of a published Opus-MT folder."""

import warnings
from pathlib import Path
from typing import Any


def marian_tokenizer(folder: Path) -> Any:
    from transformers import MarianTokenizer  # takes seconds: only where it is wanted

    with warnings.catch_warnings():
        # It recommends a package for normalising punctuation, which its own encoding never uses.
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        return MarianTokenizer.from_pretrained(folder)
