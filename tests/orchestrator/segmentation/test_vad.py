import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.segmentation.vad import Chunk, Segmenter
from orchestrator.settings import VadSettings

RATE = 16_000
FRAME_S = 0.02
VAD = VadSettings()


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(seconds: float, amplitude: float = 0.3, hertz: float = 220.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.cos(2 * np.pi * hertz * time)).astype(np.float32)


def hiss(seconds: float, dbfs: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (noise * 10 ** (dbfs / 20)).astype(np.float32)


def voice(seconds: float, amplitude: float = 0.3) -> np.ndarray:
    """A hum in syllables of 160 ms with 40 ms of silence between them, beginning with a syllable."""
    audio = tone(seconds, amplitude, 180)
    syllable = np.arange(audio.size) % round(0.2 * RATE) < round(0.16 * RATE)
    return audio * syllable


def segment(audio: np.ndarray, settings: VadSettings = VAD, step: int | None = None) -> list[Chunk]:
    segmenter = Segmenter(settings)
    chunks: list[Chunk] = []
    for start in range(0, audio.size, step or max(audio.size, 1)):
        chunks += segmenter.push(audio[start : start + (step or audio.size)])
    return chunks + segmenter.flush()


def bounds(chunks: list[Chunk]) -> list[tuple[float, float]]:
    return [(chunk.start_s, chunk.end_s) for chunk in chunks]


def assert_same(left: list[Chunk], right: list[Chunk]) -> None:
    assert [(c.sequence, c.start_s, c.end_s, c.audio_start_s, c.forced) for c in left] == [
        (c.sequence, c.start_s, c.end_s, c.audio_start_s, c.forced) for c in right
    ]
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_a_pause_of_half_a_second_ends_a_chunk():
    chunks = segment(np.concatenate([silence(1), tone(2), silence(0.6), tone(2), silence(1)]))

    assert bounds(chunks) == [pytest.approx((1.0, 3.0), abs=FRAME_S), pytest.approx((3.6, 5.6), abs=FRAME_S)]
    assert [chunk.sequence for chunk in chunks] == [0, 1]


def test_a_shorter_pause_does_not():
    chunks = segment(np.concatenate([silence(1), tone(2), silence(0.4), tone(2), silence(1)]))

    assert bounds(chunks) == [pytest.approx((1.0, 5.4), abs=FRAME_S)]


def test_a_pause_does_not_end_a_chunk_younger_than_the_shortest_segment():
    chunks = segment(np.concatenate([tone(0.5), silence(0.7), tone(1), silence(1)]))

    assert bounds(chunks) == [pytest.approx((0.0, 2.2), abs=FRAME_S)]


def test_the_pause_counts_towards_the_shortest_segment():
    chunks = segment(np.concatenate([tone(0.5), silence(1.1), tone(1), silence(1)]))

    assert bounds(chunks) == [pytest.approx((0.0, 0.5), abs=FRAME_S), pytest.approx((1.6, 2.6), abs=FRAME_S)]


def test_a_clip_shorter_than_the_shortest_segment_still_gives_its_speech():
    assert bounds(segment(tone(0.9))) == [pytest.approx((0.0, 0.9))]


def test_a_chunk_is_handed_out_while_the_speaker_goes_on():
    segmenter = Segmenter(VAD)

    assert segmenter.push(np.concatenate([tone(2), silence(0.48)])) == []
    assert len(segmenter.push(silence(0.02))) == 1


def test_samples_carry_the_padding_that_the_recogniser_wants():
    audio = np.concatenate([silence(1), tone(2), silence(2)])
    [chunk] = segment(audio)

    assert chunk.audio_start_s == pytest.approx(0.9)
    assert chunk.samples.size == pytest.approx(2.2 * RATE, abs=FRAME_S * RATE)
    start = round(chunk.audio_start_s * RATE)
    np.testing.assert_array_equal(chunk.samples, audio[start : start + chunk.samples.size])


def test_padding_ends_where_the_audio_does():
    audio = np.concatenate([silence(0.04), tone(1.99)])
    [chunk] = segment(audio)

    assert chunk.audio_start_s == 0.0
    np.testing.assert_array_equal(chunk.samples, audio)
    assert chunk.end_s == pytest.approx(2.03)


def test_speech_longer_than_the_longest_segment_is_split_without_loss_or_doubling():
    audio = np.concatenate([silence(1), tone(25), silence(1)])
    chunks = segment(audio)

    assert [chunk.forced for chunk in chunks] == [True, True, False]
    assert all(chunk.end_s - chunk.start_s <= 10 for chunk in chunks)
    joined = np.concatenate([chunk.samples for chunk in chunks])
    start = round(chunks[0].audio_start_s * RATE)
    np.testing.assert_array_equal(joined, audio[start : start + joined.size])
    assert chunks[0].start_s == pytest.approx(1, abs=FRAME_S) and chunks[-1].end_s == pytest.approx(26, abs=FRAME_S)


def test_a_forced_split_falls_into_the_last_short_pause():
    audio = np.concatenate([tone(8.8), silence(0.2), tone(4), silence(1)])
    first, second = segment(audio)

    assert first.forced and not second.forced
    assert first.end_s == pytest.approx(8.8, abs=FRAME_S)
    assert second.start_s == pytest.approx(9.0, abs=FRAME_S)


def test_a_click_is_not_speech():
    audio = silence(4)
    audio[RATE : RATE + 100] = 0.9
    audio[3 * RATE : 3 * RATE + 300] = tone(300 / RATE, 0.9)

    assert segment(audio) == []


def test_a_click_in_a_pause_does_not_bridge_it():
    pause = silence(0.7)
    pause[5600:5700] = 0.5
    chunks = segment(np.concatenate([tone(2), pause, tone(2), silence(1)]))

    assert bounds(chunks) == [pytest.approx((0.0, 2.0), abs=FRAME_S), pytest.approx((2.7, 4.7), abs=FRAME_S)]


@pytest.mark.parametrize("audio", [silence(5), silence(5) + np.float32(0.4), hiss(5, -70)], ids=["zero", "dc", "faint"])
def test_silence_gives_no_chunk(audio):
    segmenter = Segmenter(VAD)

    assert segmenter.push(audio) == []
    assert segmenter.settled_s == 5.0 and segmenter.open_since_s is None
    assert segmenter.flush() == []


def test_a_constant_offset_does_not_hide_the_pauses():
    audio = np.concatenate([tone(2), silence(0.6), tone(2), silence(1)]) + np.float32(0.2)

    assert len(segment(audio)) == 2


@pytest.mark.parametrize(("pause_db", "chunk_count"), [(-38, 2), (-30, 1)])
def test_sound_35_db_below_the_peak_is_a_pause(pause_db, chunk_count):
    pause = tone(0.6, 0.5 * 10 ** (pause_db / 20))
    audio = np.concatenate([tone(2, 0.5), pause, tone(2, 0.5), silence(1)])

    assert len(segment(audio, VadSettings(noise_margin_db=0))) == chunk_count


def test_noise_before_the_first_word_does_not_move_its_start():
    audio = np.concatenate([silence(3), voice(2), silence(1)]) + hiss(6, -52)

    assert bounds(segment(audio)) == [pytest.approx((3.0, 4.96), abs=2 * FRAME_S)]


def test_a_noisy_room_still_has_pauses():
    quiet = [silence(3), voice(3), silence(1), voice(3), silence(1), voice(3), silence(2)]
    audio = np.concatenate(quiet)
    chunks = segment(audio + hiss(audio.size / RATE, -40))

    assert [chunk.start_s for chunk in chunks] == [pytest.approx(start, abs=2 * FRAME_S) for start in (3, 7, 11)]


def test_noise_of_a_long_pause_does_not_become_speech():
    audio = np.concatenate([voice(3, 0.5), silence(60), voice(3, 0.5), silence(1)])
    chunks = segment(audio + hiss(audio.size / RATE, -48))

    assert [chunk.start_s for chunk in chunks] == [pytest.approx(start, abs=2 * FRAME_S) for start in (0, 63)]


def test_a_slammed_door_40_db_above_the_voice_deafens_for_fifteen_seconds_at_most():
    door = hiss(0.3, -3)
    talk = np.concatenate([np.concatenate([voice(2, 0.01), silence(1)]) for _ in range(14)])
    chunks = segment(np.concatenate([silence(1), door, silence(0.7), talk]))

    starts = [chunk.start_s for chunk in chunks if chunk.start_s > 14]
    assert starts == [pytest.approx(start, abs=FRAME_S) for start in range(17, 44, 3)]


def test_settled_time_tells_which_chunks_can_still_come():
    segmenter = Segmenter(VAD)
    segmenter.push(np.concatenate([silence(1), tone(1)]))
    assert segmenter.open_since_s == segmenter.settled_s == pytest.approx(1.0, abs=FRAME_S)

    [chunk] = segmenter.push(silence(1))
    assert segmenter.open_since_s is None
    assert chunk.end_s <= segmenter.settled_s == pytest.approx(3.0)

    segmenter.push(silence(0.01))
    segmenter.flush()
    assert segmenter.settled_s == pytest.approx(3.01)


PIECES = st.lists(
    st.tuples(st.sampled_from(["tone", "hiss", "voice", "silence", "click"]), st.floats(0.01, 4.0), st.floats(-55, -3)),
    min_size=1,
    max_size=8,
)


def build(pieces: list[tuple[str, float, float]]) -> np.ndarray:
    makers = {
        "tone": lambda seconds, level: tone(seconds, 10 ** (level / 20)),
        "voice": lambda seconds, level: voice(seconds, 10 ** (level / 20)),
        "hiss": hiss,
        "silence": lambda seconds, level: silence(seconds),
        "click": lambda seconds, level: tone(0.01, 0.9),
    }
    return np.concatenate([makers[kind](seconds, level) for kind, seconds, level in pieces])


@settings(max_examples=40, deadline=None)
@given(pieces=PIECES, cuts=st.lists(st.integers(1, 20_000), min_size=1, max_size=8))
def test_slicing_of_the_pushes_never_matters(pieces, cuts):
    audio = build(pieces)
    segmenter = Segmenter(VAD)
    chunks, start = [], 0
    while start < audio.size:
        step = cuts[start % len(cuts)]
        chunks += segmenter.push(audio[start : start + step])
        start += step
    chunks += segmenter.flush()

    assert_same(chunks, segment(audio))


@settings(max_examples=60, deadline=None)
@given(pieces=PIECES)
def test_chunks_are_ordered_bounded_and_true_to_the_source(pieces):
    audio = build(pieces)
    segmenter = Segmenter(VAD)
    chunks: list[Chunk] = []
    settled_s = 0.0
    for start in range(0, audio.size, 4_000):
        for chunk in segmenter.push(audio[start : start + 4_000]):
            assert settled_s <= chunk.start_s, "a chunk came whose start had been called settled"
            chunks.append(chunk)
        assert segmenter.settled_s >= settled_s
        settled_s = segmenter.settled_s
        assert all(chunk.start_s < settled_s for chunk in chunks)
    for chunk in segmenter.flush():
        assert settled_s <= chunk.start_s
        chunks.append(chunk)

    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    last_end_s = 0.0
    for chunk in chunks:
        assert last_end_s <= chunk.start_s < chunk.end_s <= audio.size / RATE
        assert chunk.end_s - chunk.start_s <= VAD.max_segment_s + 1e-9
        assert chunk.start_s - VAD.padding_s - 1e-9 <= chunk.audio_start_s <= chunk.start_s
        first = round(chunk.audio_start_s * RATE)
        np.testing.assert_array_equal(chunk.samples, audio[first : first + chunk.samples.size])
        assert first + chunk.samples.size >= round(chunk.end_s * RATE)
        assert chunk.samples.any(), "a chunk of digital silence"
        last_end_s = chunk.end_s


@settings(max_examples=40, deadline=None)
@given(
    bursts=st.lists(st.tuples(st.floats(0.6, 3.0), st.floats(1.6, 6.0)), min_size=1, max_size=5),
    frame_ms=st.sampled_from([5, 10, 20, 30, 50]),
)
def test_tone_bursts_start_and_end_within_a_frame(bursts, frame_ms):
    audio = np.concatenate([*(part for pause, length in bursts for part in (silence(pause), tone(length))), silence(1)])
    chunks = segment(audio, VadSettings(frame_ms=frame_ms))

    position, expected = 0.0, []
    for pause, length in bursts:
        expected.append((position + pause, position + pause + length))
        position += pause + length
    assert bounds(chunks) == [pytest.approx(burst, abs=frame_ms / 1000 + 1e-3) for burst in expected]


def test_memory_does_not_grow_with_the_stream():
    segmenter = Segmenter(VAD)
    minute = np.concatenate([np.concatenate([voice(4), silence(1)]) for _ in range(12)])
    segmenter.push(minute)
    tracemalloc.start()
    try:
        for _ in range(10):
            segmenter.push(minute)
            segmenter.push(silence(1))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 200_000


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(10, np.int16), "float32"),
        (np.zeros((2, 10), np.float32), "float32 \\[n\\]"),
        (np.array([0.0, np.nan], np.float32), "NaN"),
    ],
)
def test_samples_of_the_wrong_kind_are_refused(samples, reason):
    with pytest.raises(ValueError, match=reason):
        Segmenter(VAD).push(samples)


def test_a_flushed_segmenter_takes_no_more():
    segmenter = Segmenter(VAD)
    segmenter.push(tone(2))
    assert len(segmenter.flush()) == 1
    assert segmenter.flush() == []
    with pytest.raises(ValueError, match="flushed"):
        segmenter.push(tone(1))


def test_a_frame_must_be_whole_samples():
    with pytest.raises(ValueError, match="whole number"):
        Segmenter(VadSettings(frame_ms=15), sample_rate_hz=11_025)
