"""Token ids are those of transformers' MarianTokenizer."""

import json

import pytest
from generate.marian.vocabulary import Vocabulary, VocabularyMismatch
from hypothesis import given
from hypothesis import strategies as st

from tests.published_tokenizer import marian_tokenizer

TEXTS = [
    "When I was a little boy, my mother took me to the beach every summer.",
    "¿Qué tal, año?  Dos   espacios.",
    " Blank before and after ",
    "Prices: 1,234.50 € (25%).",
    "日本語 und Ελληνικά and עברית",
    "an emoji 😀 in the middle",
    "tab\tand\nline",
    "ﬁligree ½ ﷺ Ａ",
    "",
    "...",
]


@pytest.fixture(scope="module")
def original(version):
    return marian_tokenizer(version.parent / "opus-mt-en-es")


@pytest.mark.parametrize("text", TEXTS)
def test_texts_become_the_tokens_of_the_reference_library(vocabulary, original, text):
    assert vocabulary.encode(text) == original(text)["input_ids"]


@given(text=st.text(max_size=60).filter(lambda text: "<" not in text and ">>" not in text))
def test_any_text_becomes_the_tokens_of_the_reference_library(vocabulary, original, text):
    assert vocabulary.encode(text) == original(text)["input_ids"]


@given(tokens=st.lists(st.integers(0, 1499), max_size=30))
def test_tokens_become_the_text_of_the_reference_library(vocabulary, original, tokens):
    expected = original.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert vocabulary.decode(tokens) == expected


def test_a_language_token_stands_before_the_text(multilingual_version):
    vocabulary = Vocabulary(multilingual_version, 1500)
    original = marian_tokenizer(multilingual_version.parent / "opus-mt-en-roa")
    assert set(vocabulary.language_tokens) == set(original.supported_language_codes)
    assert vocabulary.encode("Good morning.", ">>fra<<") == original(">>fra<< Good morning.")["input_ids"]


@pytest.mark.parametrize("text", ["</s>", "a <pad> b", ">>fra<< text", "<unk>"])
def test_what_looks_like_a_token_is_only_text(multilingual_version, text):
    vocabulary = Vocabulary(multilingual_version, 1500)
    special = {0, 1499, *(vocabulary.encode("", token)[0] for token in vocabulary.language_tokens)}
    assert not special & set(vocabulary.encode(text)[:-1])


def test_pieces_that_stand_for_nothing_are_left_out(vocabulary):
    assert vocabulary.decode([0, 1, 1499, 99_999]) == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("source.spm", b"no model", r"source\.spm is no sentencepiece model"),
        ("vocab.json", b"{", r"vocab\.json cannot be read"),
        ("vocab.json", b"[1]", r"vocab\.json does not number pieces"),
        ("vocab.json", b'{"</s>": 0, "<unk>": 1}', r"vocab\.json lacks <pad>"),
        ("vocab.json", b'{"</s>": 0, "<unk>": 1, "<pad>": 1500}', "'<pad>' is number 1500, and the model has 1500"),
        ("vocab.json", json.dumps({"</s>": 0, "<unk>": 1, "<pad>": 2}).encode(), "they are not of one model"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(edited, name, content, message):
    with pytest.raises(VocabularyMismatch, match=message):
        Vocabulary(edited(files={name: content}), 1500)


def test_a_missing_file_is_named(edited):
    folder = edited()
    (folder / "target.spm").unlink()
    with pytest.raises(VocabularyMismatch, match=r"target\.spm is missing"):
        Vocabulary(folder, 1500)
