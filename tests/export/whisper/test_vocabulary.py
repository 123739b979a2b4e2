"""Every kind of checkpoint comes to the tokens that openai-whisper has."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.tokenizer import get_tokenizer

from export.bundle.published import Published
from export.whisper.settings import SIZES
from export.whisper.tokenizer_files import folder_tokenizer, openai_tokenizer
from export.whisper.vocabulary import read_vocabulary, vocabulary_of

TEXTS = (
    "Hello world, it's 12:30!",
    "  Zwölf Boxkämpfer — naïve façade",
    "漢字かな交じり文 😀",
    "tabs\t\nand  1234567",
    "♪♪ [NOISE]",
)


def openais(size):
    settings = SIZES[size]
    multilingual = settings.vocab_size >= 51865
    return get_tokenizer(multilingual, num_languages=settings.vocab_size - 51765 - int(multilingual))


@pytest.fixture(scope="module", params=["reduced", "reduced.en", "large-v3"])
def both(request):
    """Ours and openai-whisper's."""
    ours = SIZES[request.param]
    return vocabulary_of(openai_tokenizer(ours), ours, {}), openais(request.param)


def test_texts_have_openais_tokens(both):
    ours, theirs = both
    for text in TEXTS:
        assert ours.tokenizer.encode(text, add_special_tokens=False).ids == theirs.encode(text)


def test_special_tokens_and_rules_are_openais(both):
    ours, theirs = both
    special = theirs.special_tokens
    assert {token: ours.tokenizer.token_to_id(token) for token in special} == special
    never = {theirs.sot, theirs.sot_prev, theirs.sot_lm, theirs.transcribe, theirs.translate, theirs.no_speech}
    assert set(ours.suppress) == {*theirs.non_speech_tokens, *never}
    assert set(ours.begin_suppress) == {*theirs.encode(" "), theirs.eot}
    assert ours.end == theirs.eot
    assert list(ours.languages.values()) == sorted(theirs.all_language_tokens)
    assert ours.prompt("de" if ours.multilingual else "") == (
        [theirs.sot, special["<|de|>"], theirs.transcribe, theirs.no_timestamps]
        if ours.multilingual
        else [theirs.sot, theirs.no_timestamps]
    )


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_survives(vocabulary, text):
    ids = vocabulary.tokenizer.encode(text, add_special_tokens=False).ids
    assert vocabulary.tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.fixture(scope="module")
def vocabulary(whisper_folder):
    return read_vocabulary(published(whisper_folder), SIZES["reduced"])


def published(folder):
    return Published(folder, json.loads((folder / "config.json").read_text()), {}, "")


def test_without_tokenizer_json_the_vocabulary_is_put_together_of_its_parts(whisper_folder, tmp_path):
    folder = shutil.copytree(whisper_folder, tmp_path / "old", ignore=shutil.ignore_patterns("*.safetensors"))
    whole = folder_tokenizer(published(folder))
    (folder / "tokenizer.json").unlink()
    special = {token: number for token, number in whole.get_vocab().items() if number >= 50257}
    (folder / "added_tokens.json").write_text(json.dumps(special))
    parts = folder_tokenizer(published(folder))
    assert parts.get_vocab() == whole.get_vocab()
    for text in TEXTS:
        assert parts.encode(text).ids == whole.encode(text).ids


def test_older_folders_know_no_times_and_call_silence_otherwise(whisper_folder):
    """As openai/whisper-* were in 2022: 50364 tokens, rules in config.json."""
    tokenizer = json.loads((whisper_folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"] = [each for each in tokenizer["added_tokens"] if each["id"] < 50364]
    for each in tokenizer["added_tokens"]:
        each["content"] = each["content"].replace("nospeech", "nocaptions")
    from tokenizers import Tokenizer

    old = vocabulary_of(
        Tokenizer.from_str(json.dumps(tokenizer)),
        SIZES["reduced"],
        {"suppress_tokens": [1, 2], "begin_suppress_tokens": [220, 50257]},
    )
    assert (old.special["no_speech"], old.suppress, old.multilingual) == (50362, (1, 2), True)
