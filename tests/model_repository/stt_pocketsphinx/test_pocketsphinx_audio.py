import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pocketsphinx_audio import check_audio, decoder_samples


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(0), "empty"),
        (np.zeros(16_001), r"lasts 1\.00 s, at most 1 s"),
        (np.array([0.0, np.nan]), "NaN or infinite"),
        (np.array([0.0, -np.inf]), "NaN or infinite"),
        (np.array([0.0, 12_000.0]), "must lie in -1..1, its peak is 12000"),
    ],
)
def test_audio_that_cannot_be_heard_is_refused_with_the_reason(audio, reason):
    with pytest.raises(InvalidRequest, match=reason):
        check_audio(audio.astype(np.float32), max_audio_s=1.0)


def test_overshoot_of_a_resampler_is_taken():
    check_audio(np.array([1.2, -1.3], np.float32), max_audio_s=1.0)


@given(
    arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32)).filter(
        lambda audio: np.abs(audio).max() > 0.01
    )
)
def test_samples_do_not_depend_on_the_level_and_repeat(audio):
    samples = decoder_samples(audio)
    assert samples.dtype == np.int16
    assert samples.shape == audio.shape
    assert np.array_equal(samples, decoder_samples(audio))
    assert np.abs(samples.astype(int) - decoder_samples(audio * np.float32(0.5))).max() <= 1
