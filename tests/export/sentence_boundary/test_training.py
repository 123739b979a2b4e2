"""A toy: sentences whose last word is always "over". A few steps must find that out."""

import random

import torch

from export.sentence_boundary.calibration import last_logits
from export.sentence_boundary.corpus import Passage
from export.sentence_boundary.examples import Example
from export.sentence_boundary.styles import STYLES, words
from export.sentence_boundary.training import Recipe, train
from export.sentence_boundary.windows import stream

WORDS = sorted(words("the man boat river saw old hill rain house dog"))


def passages() -> list[Passage]:
    rng = random.Random(2)
    sentences = [" ".join([*rng.choices(WORDS, k=rng.randrange(3, 8)), "over."]).capitalize() for _ in range(200)]
    return [Passage("g", "d", "en", tuple(sentences))]


def test_training_learns_what_ends_a_sentence_and_repeats_with_its_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        streams = {style: stream(passages(), style, 1) for style in STYLES}
        told: list[float] = []
        recipe = Recipe(steps=12, windows=4, tell_every=4)
        network, seconds = train(streams, recipe, lambda step, loss: told.append(loss))
        again, _ = train(streams, recipe, lambda step, loss: None)
    finally:
        torch.set_num_threads(threads)
    assert told[-1] < 0.5 * told[0]
    assert seconds > 0
    texts = [("old man saw the hill over", True), ("old man saw the hill", False)]
    examples = [Example(text, complete, "en", "speech", "whole", "g") for text, complete in texts]
    whole, part = last_logits(network, examples)
    assert whole > part + 1
    assert torch.equal(network.words.weight, again.words.weight)
