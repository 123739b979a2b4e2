"""What is measured on must not have been learnt from, not even nearly."""

import random

import pytest

from export.sentence_boundary.corpus import SIDES, NearDuplicates, Passage, count, split_corpus, without_near_duplicates
from export.sentence_boundary.sources import Document
from export.sentence_boundary.styles import words

WORDS = sorted(words("the old man sat by a river and looked at his boat while rain fell on every hill near our town"))


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(5, 14))).capitalize() + "."


def document(number: int, rng: random.Random) -> Document:
    paragraphs = tuple(" ".join(sentence(rng) for _ in range(3)) for _ in range(10))
    return Document("books en", f"book {number}", "en", paragraphs)


@pytest.fixture(scope="module")
def corpus():
    rng = random.Random(4)
    documents = [document(number, rng) for number in range(30)]
    copied = " ".join(documents[0].paragraphs)
    documents += [
        Document("books en", f"copy {number}", "en", (copied.replace("river", "lake"),)) for number in range(20)
    ]
    return split_corpus(documents, seed=1)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("He went to the market to buy bread.", "He went to the market to buy bread!"),
        ("He went to the market to buy bread.", "he went to the market to buy some bread"),
        ("He went to the market to buy bread.", "“Then he went to the market to buy bread.”"),
        ("Yes.", "Yes!"),
        ("Thank you.", "thank you"),
    ],
)
def test_a_sentence_that_is_nearly_known_is_found(known, asked):
    assert NearDuplicates(["Something else was said here.", known]).has(asked)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("He went to the market to buy bread.", "He went to the station to meet his sister."),
        ("He went to the market to buy bread.", "Bread."),
        ("Yes.", "No."),
        ("Thank you.", "Thank you so much for everything you did."),
    ],
)
def test_a_sentence_that_only_shares_words_is_not(known, asked):
    assert not NearDuplicates([known]).has(asked)


def test_no_sentence_is_nearly_on_two_sides(corpus):
    for measured, others in (("test", ("train", "validation")), ("validation", ("train",))):
        seen = NearDuplicates(text for side in others for passage in corpus[side] for text in passage.sentences)
        assert not [text for passage in corpus[measured] for text in passage.sentences if seen.has(text)]


def test_the_check_had_something_to_drop():
    kept = Passage("g", "d", "en", ("We sat by the river.", "Nobody knows this one yet.", "We ate bread."))
    others = [Passage("g", "e", "en", ("They say nobody knows this one yet.",))]
    found = without_near_duplicates([kept], others)
    assert [passage.sentences for passage in found] == [("We sat by the river.",), ("We ate bread.",)]


def test_a_document_is_on_one_side_only(corpus):
    names = {side: {passage.document for passage in corpus[side]} for side in SIDES}
    assert not names["test"] & names["train"]
    assert not names["validation"] & names["train"]
    assert not names["test"] & names["validation"]


def test_every_side_has_its_share(corpus):
    sizes = {side: count(corpus[side]) for side in SIDES}
    assert all(sizes.values())
    assert sizes["train"] > 3 * sizes["test"]


def test_the_same_seed_splits_the_same_way():
    documents = [document(number, random.Random(number)) for number in range(12)]
    assert split_corpus(documents, 3) == split_corpus(documents, 3)
    assert split_corpus(documents, 3) != split_corpus(documents, 4)
