"""Sentences of our own and what the original makes of them: original.tsv.

Columns: language, text, original (coqui-tts 0.28; "!KeyError" where it fails), ours (only where it differs on purpose).
Run as a program, it asks the original anew (needs coqui-tts, of the extra `export`):

    .venv/bin/python -m tests.deploy.triton.backends.generate.xtts.text.original
"""

import csv
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_suffix(".tsv")
_COLUMNS = ("language", "text", "original", "ours")


@dataclass(frozen=True)
class Row:
    language: str
    text: str
    original: str
    ours: str

    @property
    def expected(self) -> str:
        return self.ours or self.original


def read_rows() -> list[Row]:
    with PATH.open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def ask_original() -> None:
    """Write what the installed original says into the file; what is ours stays."""
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    original = VoiceBpeTokenizer()

    def said(row: Row) -> str:
        try:
            # models/xtts.py strips and makes small before it tokenises
            return str(original.preprocess_text(row.text.strip().lower(), row.language))
        except Exception as error:
            return f"!{type(error).__name__}"

    rows = [(row.language, row.text, said(row), row.ours) for row in read_rows()]
    PATH.write_text("".join("\t".join(row) + "\n" for row in [_COLUMNS, *rows]), encoding="utf-8")


if __name__ == "__main__":
    ask_original()
