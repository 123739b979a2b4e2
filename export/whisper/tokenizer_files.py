"""The tokenizer of a checkpoint, from whatever files it came with."""

from tokenizers import Tokenizer

from export.bundle.published import Published, read_json
from export.errors import CheckpointRefused
from export.whisper.byte_pairs import assemble, language_codes, openai_vocabulary, special_tokens
from export.whisper.settings import WhisperSettings

TOKENIZER = "tokenizer.json"
END = "<|endoftext|>"
TIMESTAMPS = 1501
"""Tokens of times from 0.00 to 30.00 s in steps of 0.02 s: the last of every vocabulary."""
_TASKS = 8
"""Special tokens that are neither a language nor a time."""


def openai_tokenizer(settings: WhisperSettings) -> Tokenizer:
    """Make the tokenizer that openai-whisper uses for a network of this vocabulary."""
    multilingual = settings.vocab_size >= 51865
    vocabulary, merges = openai_vocabulary(multilingual=multilingual)
    languages = settings.vocab_size - len(vocabulary) - _TASKS - TIMESTAMPS
    if not 99 <= languages <= 100:
        raise CheckpointRefused(f"no vocabulary of openai-whisper has {settings.vocab_size} tokens")
    return assemble(vocabulary, merges, special_tokens(language_codes(languages)))


def folder_tokenizer(published: Published) -> Tokenizer:
    """Read a folder's tokenizer.json, or make one of its vocab.json and merges.txt (CheckpointRefused)."""
    file = published.file(TOKENIZER)
    if file is None:
        return _of_parts(published)
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more exact
        raise CheckpointRefused(f"{TOKENIZER} cannot be read: {error}") from error


def _of_parts(published: Published) -> Tokenizer:
    """Older folders: vocab.json, merges.txt, added_tokens.json."""
    vocabulary = read_json(published.needed("vocab.json"))
    lines = published.needed("merges.txt").read_text("utf-8").splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#version")]
    added = published.file("added_tokens.json")
    special = read_json(added) if added is not None else {}
    whole = {**vocabulary, **special}
    if not all(len(pair) == 2 for pair in pairs) or not all(isinstance(number, int) for number in whole.values()):
        raise CheckpointRefused("vocab.json, merges.txt and added_tokens.json are no byte-pair vocabulary")
    names = {END, *(token for token in whole if token.startswith("<|") and token.endswith("|>"))}
    try:
        found = assemble(whole, [(one, other) for one, other in pairs], sorted(names, key=lambda name: whole[name]))
    except Exception as error:  # as above
        raise CheckpointRefused(f"vocab.json and merges.txt do not belong together: {error}") from error
    wrong = [name for name in names if found.token_to_id(name) != whole[name]]
    if wrong:
        raise CheckpointRefused(f"added_tokens.json gives {wrong[0]} an id that does not follow the vocabulary")
    return found
