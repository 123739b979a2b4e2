import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.segmentation.given import GivenSentences
from orchestrator.subtitles.cues import Line

RATE_HZ = 1000
spans = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 4000)), max_size=6)


def lines(drawn):
    sentences, at = [], 0
    for silence_ms, duration_ms in drawn:
        sentences.append(Line(at + silence_ms, at + silence_ms + duration_ms, "words"))
        at = sentences[-1].end_ms
    return sentences, at


def cut(sentences, samples, sizes):
    cutter, chunks, at = GivenSentences(sentences, RATE_HZ), [], 0
    for size in itertools.cycle(sizes):
        if at >= len(samples):
            break
        new = cutter.push(samples[at : at + size])
        chunks += new
        at += size
        settled = [chunk for chunk in sentences if chunk.start_ms / 1000 < cutter.settled_s]
        assert len(settled) == len(chunks), "what is settled has been handed out"
    return chunks + cutter.flush() + cutter.flush()


@given(spans, st.integers(0, 2000), st.lists(st.integers(1, 5000), min_size=1, max_size=5))
def test_every_sentence_gets_its_own_sound_however_the_stream_is_sliced(drawn, rest_ms, sizes):
    sentences, end_ms = lines(drawn)
    samples = np.arange(end_ms + rest_ms, dtype=np.float32)
    chunks = cut(sentences, samples, sizes)
    assert [chunk.sequence for chunk in chunks] == list(range(len(sentences)))
    for sentence, chunk in zip(sentences, chunks, strict=True):
        assert (chunk.start_s, chunk.end_s) == (sentence.start_ms / 1000, sentence.end_ms / 1000)
        np.testing.assert_array_equal(chunk.samples, samples[sentence.start_ms : sentence.end_ms])


def test_a_sentence_that_ends_behind_the_sound_gets_what_there_is():
    (chunk,) = cut([Line(500, 1500, "words")], np.ones(1200, np.float32), [700])
    assert len(chunk.samples) == 700
    assert chunk.end_s == 1.5
