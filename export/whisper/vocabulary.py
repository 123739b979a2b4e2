"""The vocabulary that belongs to a checkpoint, held against its network."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from export.bundle.published import Published, read_json
from export.errors import CheckpointRefused
from export.whisper.settings import WhisperSettings
from export.whisper.silent_symbols import non_speech_tokens
from export.whisper.tokenizer_files import END, TIMESTAMPS, TOKENIZER, folder_tokenizer, openai_tokenizer

GENERATION_CONFIG = "generation_config.json"
_NAMES = {
    "sot": ("<|startoftranscript|>",),
    "translate": ("<|translate|>",),
    "transcribe": ("<|transcribe|>",),
    "start_of_lm": ("<|startoflm|>",),
    "start_of_previous": ("<|startofprev|>",),
    "no_speech": ("<|nospeech|>", "<|nocaptions|>"),
    "no_timestamps": ("<|notimestamps|>",),
}
"""Folders call the token of silence "nocaptions", newer ones "nospeech"."""
_BLANK = " "


@dataclass(frozen=True)
class Vocabulary:
    """Tokens and rules of one checkpoint."""

    tokenizer: Tokenizer
    end: int
    special: Mapping[str, int]
    """By the keys of _NAMES."""
    languages: Mapping[str, int]
    """Whisper's code -> token, in its order; also of English-only networks, which do not use them."""
    multilingual: bool
    suppress: tuple[int, ...]
    begin_suppress: tuple[int, ...]

    def prompt(self, language: str) -> list[int]:
        """Return what a text without times begins with."""
        if not self.multilingual:
            return [self.special["sot"], self.special["no_timestamps"]]
        middle = [self.languages[language], self.special["transcribe"]]
        return [self.special["sot"], *middle, self.special["no_timestamps"]]


def read_vocabulary(published: Published, settings: WhisperSettings) -> Vocabulary:
    """Read the vocabulary of a folder, or make that of an openai file, and hold it against the network's size.

    Raises:
        CheckpointRefused: a file is missing or cannot be read, or the vocabulary is not that of the network.
        ExtraMissing: the package openai-whisper, of which an openai file's vocabulary is made, is not installed.
    """
    tokenizer = folder_tokenizer(published) if published.path.is_dir() else openai_tokenizer(settings)
    return vocabulary_of(tokenizer, settings, _stated(published))


def vocabulary_of(tokenizer: Tokenizer, settings: WhisperSettings, stated: Mapping[str, Any]) -> Vocabulary:
    """Hold a tokenizer against the network's size and against what the checkpoint says of its tokens.

    `stated`: generation_config.json's fields, as far as there are any. CheckpointRefused: they do not fit together.
    """
    special = {name: _token(tokenizer, spellings) for name, spellings in _NAMES.items()}
    end = _token(tokenizer, (END,))
    _check_fit(tokenizer, settings, end, special["no_timestamps"])
    multilingual = bool(stated.get("is_multilingual", settings.vocab_size >= 51865))
    languages = _languages(tokenizer, special["sot"], special["translate"])
    _check_stated(stated, end, special, languages)
    vocabulary = Vocabulary(
        tokenizer, end, special, languages, multilingual,
        suppress=_rule(stated, "suppress_tokens", settings, lambda: _usual_suppress(tokenizer, special)),
        begin_suppress=_rule(stated, "begin_suppress_tokens", settings, lambda: [*_ids(tokenizer, _BLANK), end]),
    )  # fmt: skip
    if multilingual and not languages:
        raise CheckpointRefused(f"{TOKENIZER} has no language between {_NAMES['sot'][0]} and {_NAMES['translate'][0]}")
    return vocabulary


def _check_fit(tokenizer: Tokenizer, settings: WhisperSettings, end: int, no_timestamps: int) -> None:
    """The times come last, whether the tokenizer knows them or not: so the sizes must agree exactly."""
    whole = no_timestamps + 1 + TIMESTAMPS
    if settings.vocab_size != whole or tokenizer.get_vocab_size() > whole or end >= whole:
        text = f"the vocabulary ({whole} tokens with times, end {end}) is not that of the network"
        raise CheckpointRefused(f"{text}, which has {settings.vocab_size}")


def _check_stated(
    stated: Mapping[str, Any], end: int, special: Mapping[str, int], languages: Mapping[str, int]
) -> None:
    facts: dict[str, int] = {
        "eos_token_id": end,
        "decoder_start_token_id": special["sot"],
        "no_timestamps_token_id": special["no_timestamps"],
    }
    for name, token in facts.items():
        if stated.get(name, token) not in (token, [token]):
            raise CheckpointRefused(
                f"the vocabulary does not match the checkpoint: {name} {stated[name]} is {token} there"
            )
    for code, token in (stated.get("lang_to_id") or {}).items():
        if languages.get(str(code).strip("<|>")) != token:
            raise CheckpointRefused(f"the vocabulary does not match the checkpoint: {code} is not token {token}")


def _stated(published: Published) -> Mapping[str, Any]:
    """What the folder says of its tokens: in generation_config.json, in older ones in config.json."""
    if not published.path.is_dir():
        return {}
    file = published.file(GENERATION_CONFIG)
    return {**published.settings, **(read_json(file) if file is not None else {})}


def _rule(
    stated: Mapping[str, Any], name: str, settings: WhisperSettings, usual: Callable[[], list[int]]
) -> tuple[int, ...]:
    tokens = stated.get(name)
    if tokens is None:
        tokens = usual()
    if not isinstance(tokens, list) or not all(
        isinstance(token, int) and 0 <= token < settings.vocab_size for token in tokens
    ):
        raise CheckpointRefused(f"{name} is no list of tokens of the vocabulary: {json.dumps(tokens)[:80]}")
    return tuple(sorted(set(tokens)))


def _usual_suppress(tokenizer: Tokenizer, special: Mapping[str, int]) -> list[int]:
    never = ("sot", "translate", "transcribe", "start_of_lm", "start_of_previous", "no_speech")
    return [*non_speech_tokens(lambda text: _ids(tokenizer, text)), *(special[name] for name in never)]


def _languages(tokenizer: Tokenizer, sot: int, translate: int) -> dict[str, int]:
    tokens = {number: tokenizer.id_to_token(number) for number in range(sot + 1, translate)}
    return {token.removeprefix("<|").removesuffix("|>"): number for number, token in tokens.items() if token}


def _token(tokenizer: Tokenizer, spellings: Sequence[str]) -> int:
    for token in spellings:
        found = tokenizer.token_to_id(token)
        if found is not None:
            return int(found)
    raise CheckpointRefused(f"the vocabulary has no token {' or '.join(spellings)}: it is not Whisper's")


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids
