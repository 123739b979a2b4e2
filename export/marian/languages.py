"""Which languages a published folder translates between, and what its Triton model is called."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from client.contracts import LanguagePair
from client.language_codes import two_letters
from export.bundle.published import Published, read_json
from export.errors import CheckpointRefused

TOKENIZER_SETTINGS = "tokenizer_config.json"
VOCABULARY = "vocab.json"
PREFIX = "opus_mt_"
_FOLDER = re.compile(r"opus-mt-(?:tc-(?:big|base|tiny)-|tiny-)?([A-Za-z_]+)-([A-Za-z_]+)")
"""opus-mt-en-es, opus-mt-en-ROMANCE, opus-mt-tc-big-en-cat_oci_spa."""
_TARGET_TOKEN = re.compile(r">>([a-z]{2,3})(?:_[A-Za-z_]+)?<<")
"""With the script or the region of some: >>zho_Hans<<, >>pt_br<<."""
_PAIR = re.compile(r"([a-z]{2,3})-([a-z]{2,3})")


@dataclass(frozen=True)
class Languages:
    """What one model offers."""

    triton_model: str
    pairs: tuple[LanguagePair, ...]
    targets: Mapping[str, str]
    """ISO 639-1 code -> the token that the model wants before the text, "" where it wants none."""


@dataclass(frozen=True)
class Stated(Published):
    """A folder whose languages the user has stated."""

    pairs: tuple[str, ...]
    """As written: "en-es"."""

    @classmethod
    def of(cls, published: Published, pairs: Sequence[str]) -> "Stated":
        """Put what is stated beside what was read."""
        return cls(published.path, published.settings, published.state, published.sha256, tuple(pairs))


def read_languages(published: Published) -> Languages:
    """Find the languages: as stated, else from tokenizer_config.json, else from the folder's name.

    Raises:
        CheckpointRefused: none of them says it, or a stated target is not among the model's `>>xx<<` tokens.
    """
    tokens = _target_tokens(read_json(published.needed(VOCABULARY)))
    if isinstance(published, Stated):
        pairs = [_pair(text) for text in published.pairs]
        names = (_joined(pair.source for pair in pairs), _joined(pair.target for pair in pairs))
    else:
        names = _names(published)
        targets = list(tokens) or _codes(published, names[1], "target")
        sources = _codes(published, names[0], "source")
        pairs = [LanguagePair(one, other) for one in sources for other in targets if one != other]
    missing = [pair.target for pair in pairs if tokens and pair.target not in tokens]
    if missing:
        raise CheckpointRefused(
            f"{published.name} does not translate into {missing[0]}, but {' '.join(sorted(tokens))}"
        )
    chosen = {pair.target: tokens.get(pair.target, "") for pair in pairs}
    if not tokens and len(chosen) > 1:
        raise CheckpointRefused(f"{published.name} translates into one language, not into {' and '.join(chosen)}")
    return Languages(f"{PREFIX}{names[0]}_{names[1]}".lower(), tuple(pairs), chosen)


def _target_tokens(vocabulary: Mapping[str, object]) -> dict[str, str]:
    """Return the tokens of the target languages; a token without script and region goes before one with it."""
    found: dict[str, str] = {}
    for token in sorted(
        (token for token in vocabulary if token.startswith(">>")), key=lambda token: (len(token), token)
    ):
        match = _TARGET_TOKEN.fullmatch(token)
        if match:
            found.setdefault(two_letters(match[1]) or match[1], token)
    return found


def _names(published: Published) -> tuple[str, str]:
    """Return what the folder calls its two sides: "en", "spa", "ROMANCE", "cat_oci_spa"."""
    path = published.file(TOKENIZER_SETTINGS)
    settings = read_json(path) if path is not None else {}
    source, target = settings.get("source_lang"), settings.get("target_lang")
    if isinstance(source, str) and isinstance(target, str) and source and target:
        return _short(source), _short(target)
    match = _FOLDER.search(published.name)
    if match is None:
        raise CheckpointRefused(
            f"{published.name}: neither {TOKENIZER_SETTINGS} nor the folder's name says which languages it translates "
            "between: state it, --pair en-es"
        )
    return _short(match[1]), _short(match[2])


def _codes(published: Published, name: str, side: str) -> list[str]:
    codes = [two_letters(part) for part in name.split("_")]
    if None in codes:
        raise CheckpointRefused(
            f"{published.name}: which {side} languages {name!r} stands for is not known here: --pair"
        )
    return list(dict.fromkeys(code for code in codes if code is not None))


def _short(name: str) -> str:
    return "_".join(two_letters(part) or part for part in name.replace("+", "_").split("_"))


def _joined(codes: Iterable[str]) -> str:
    return "_".join(dict.fromkeys(codes))


def _pair(text: str) -> LanguagePair:
    match = _PAIR.fullmatch(text)
    if match is None:
        raise CheckpointRefused(f"a pair is written like en-es, not {text!r}")
    return LanguagePair(match[1], match[2])
