import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import MalformedMessage
from orchestrator.pcm import StreamResampler, float_to_pcm, pcm_to_float


@given(st.binary(max_size=400).filter(lambda body: len(body) % 2 == 0))
def test_pcm_survives_the_way_to_floats_and_back(body):
    assert float_to_pcm(pcm_to_float(body)) == body


def test_what_is_too_loud_is_clipped_and_not_wrapped():
    pcm = float_to_pcm(np.array([2.0, 1.0, -1.0, -2.0], np.float32))
    assert np.frombuffer(pcm, "<i2").tolist() == [32767, 32767, -32768, -32768]


def test_half_a_sample_is_refused():
    with pytest.raises(MalformedMessage):
        pcm_to_float(b"\x00\x00\x00")


@settings(deadline=None, max_examples=25)
@given(
    from_hz=st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000]),
    cuts=st.lists(st.integers(0, 6_000), max_size=12),
)
def test_a_stream_resampled_in_pieces_equals_the_whole_resampled_at_once(from_hz, cuts):
    whole = np.random.default_rng(7).uniform(-0.5, 0.5, 6_000).astype(np.float32)
    stream = StreamResampler(from_hz, 24_000)
    pieces = [stream.push(piece) for piece in np.split(whole, sorted(cuts))]
    joined = np.concatenate([*pieces, stream.finish()])
    at_once = soxr.resample(whole, from_hz, 24_000)
    np.testing.assert_allclose(joined, at_once, atol=1e-6)
