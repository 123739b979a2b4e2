import io
import itertools
import wave

import numpy as np
import pytest
from espeak_chunks import HEADER_BYTES, BadWave, chunked, wave_sample_rate_hz
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


def wave_file(channels: int = 1, sample_bytes: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(sample_bytes)
        out.setframerate(22_050)
        out.writeframes(b"\1" * 8)
    return file.getvalue()


def test_the_sample_rate_is_read_from_the_header():
    assert wave_sample_rate_hz(wave_file()[:HEADER_BYTES]) == 22_050


@pytest.mark.parametrize("stream", [wave_file(channels=2), wave_file(sample_bytes=1), b"RIFF", b"x" * 44])
def test_anything_but_mono_16_bit_pcm_is_refused(stream):
    with pytest.raises(BadWave):
        wave_sample_rate_hz(stream[:HEADER_BYTES])


@given(
    arrays(np.int16, st.integers(0, 60)),
    st.lists(st.integers(0, 130), max_size=8),
    st.integers(1, 20),
    st.integers(0, 9),
)
def test_chunks_hold_every_sample_from_the_first_sound_on(samples, cuts, chunk_samples, zeros):
    pcm = b"\0\0" * zeros + samples.astype("<i2").tobytes()
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    pieces = [pcm[start:end] for start, end in itertools.pairwise(edges)]
    chunks = list(chunked(pieces, chunk_samples))
    heard = np.concatenate([np.zeros(0, np.float32), *chunks])
    sounding = np.trim_zeros(samples, "f")
    assert np.array_equal(heard, sounding.astype(np.float32) / 32768)
    assert all(len(chunk) == chunk_samples for chunk in chunks[:-1])
    assert all(chunk.dtype == np.float32 and 0 < len(chunk) <= chunk_samples for chunk in chunks)


def test_a_chunk_leaves_as_soon_as_it_is_full():
    given_out = []

    def pieces():
        for number in range(1, 5):
            given_out.append(number)
            yield np.full(10, number, "<i2").tobytes()

    chunks = chunked(pieces(), chunk_samples=10)
    next(chunks)
    assert given_out == [1]
