"""What lies beside the graphs in a version of `opus_mt_*`, and the model's config.pbtxt."""

import json
import shutil
from pathlib import Path

from export.bundle.published import Published, read_json
from export.errors import CheckpointRefused
from export.marian.languages import VOCABULARY, Languages
from export.marian.settings import MarianSettings, SearchSettings

TOKENIZER_FILES = ("source.spm", "target.spm", VOCABULARY)
_LEAST_PIECES = ("</s>", "<unk>", "<pad>")
_SETTINGS_FILE = "generation.json"


def write_files(
    published: Published, settings: MarianSettings, search: SearchSettings, languages: Languages, folder: Path
) -> None:
    """Write generation.json and copy the tokenizer's files; CheckpointRefused when they do not fit the weights."""
    _check_vocabulary(published, settings)
    for name in TOKENIZER_FILES:
        shutil.copyfile(published.needed(name), folder / name)
    text = json.dumps(generation(settings, search, languages), indent=2, ensure_ascii=False)
    (folder / _SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")


def generation(settings: MarianSettings, search: SearchSettings, languages: Languages) -> dict[str, object]:
    """Return what generation.json says; docs/GENERATE.md has the common fields, docs/TRANSLATION.md Marian's."""
    shape = settings.shape
    return {
        "family": "marian",
        "layers": shape.layers,
        "heads": shape.heads,
        "head_dim": shape.head_dim,
        "vocab_size": settings.vocab_size,
        "max_positions": settings.max_positions,
        "start": settings.start_token,
        "eos": [settings.end_token],
        "pad": settings.pad_token,
        "suppress": list(search.suppress),
        "forced_eos": search.forced_eos,
        "defaults": {
            "beams": search.beams,
            "length_penalty": search.length_penalty,
            "early_stopping": search.early_stopping,
            "max_new_tokens": search.max_length - 1,  # transformers counts the start token
        },
        "marian": {"targets": dict(languages.targets), "max_source_tokens": settings.max_positions // 2},
    }


def triton_config(languages: Languages) -> str:
    """Return the config.pbtxt of the pair's model."""
    pairs = " ".join(f"{pair.source}-{pair.target}" for pair in languages.pairs)
    text = (Path(__file__).parent / "config.pbtxt.template").read_text(encoding="utf-8")
    return text.replace("@MODEL@", languages.triton_model).replace("@PAIRS@", pairs)


def _check_vocabulary(published: Published, settings: MarianSettings) -> None:
    ids = read_json(published.needed(VOCABULARY))
    missing = [piece for piece in _LEAST_PIECES if piece not in ids]
    if missing:
        raise CheckpointRefused(f"{published.name}: {VOCABULARY} has no {' '.join(missing)}")
    beyond = [
        piece for piece, number in ids.items() if type(number) is not int or not 0 <= number < settings.vocab_size
    ]
    if beyond:
        raise CheckpointRefused(
            f"{published.name}: {VOCABULARY} does not match the weights: {beyond[0]!r} is number {ids[beyond[0]]!r}, "
            f"and they have {settings.vocab_size} tokens"
        )
    for piece, token in (("</s>", settings.end_token), ("<pad>", settings.pad_token)):
        if ids[piece] != token:
            raise CheckpointRefused(
                f"{published.name}: {piece} is number {ids[piece]} in {VOCABULARY} and {token} in config.json"
            )
