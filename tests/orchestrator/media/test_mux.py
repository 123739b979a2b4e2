import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from orchestrator.errors import ResultNotWritten
from orchestrator.media.audio import read_audio
from orchestrator.media.mux import Muxer, copy_unchanged
from orchestrator.media.probe import probe
from orchestrator.media.video import read_frames
from orchestrator.settings import MediaSettings
from tests.media_factory import Burst, is_flash, make_clip, read_counter

SETTINGS = MediaSettings()
RATE = SETTINGS.output_sample_rate_hz
BURSTS = [Burst(0.3), Burst(0.7, frequency_hz=500)]
FLASHES_S = [0.32, 0.72]


def through(source, target):
    """Read a clip and write it again; returns what the probe says of both."""
    clip = probe(source, SETTINGS)
    with Muxer(target, clip, SETTINGS) as muxer:
        for block in read_audio(source, clip, RATE):
            muxer.write_audio(block)
        for _, time_s, frame in read_frames(source, clip):
            muxer.write_video(frame, time_s)
    return clip, probe(target, SETTINGS)


def seen(path):
    """Times of the pictures, and (number, flash?) of each."""
    frames = list(read_frames(path, probe(path, SETTINGS)))
    return [time_s for _, time_s, _ in frames], [(read_counter(frame), is_flash(frame)) for _, _, frame in frames]


def assert_same_pictures(target, source, tolerance_s=0.0005):
    times_s, pictures = seen(target)
    expected_s, expected = seen(source)
    assert pictures == expected
    assert times_s == pytest.approx(expected_s, abs=tolerance_s)


def onsets_s(path):
    samples = np.concatenate(list(read_audio(path, probe(path, SETTINGS), RATE)))
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    return [loud[0] / RATE, *(loud[np.flatnonzero(np.diff(loud) > 0.05 * RATE) + 1] / RATE)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.mp4", {}),
        ("film.mp4", {"fps": 24}),
        ("ntsc.mp4", {"fps": Fraction(30_000, 1001)}),
        ("fluent.mp4", {"fps": 60}),
        ("uneven.mp4", {"frame_times_s": [0, 0.04, 0.1, 0.32, 0.36, 0.72, 0.76, 0.97]}),
        ("odd.mp4", {"size": (161, 121), "video_codec": "mpeg4"}),
        ("portrait.mp4", {"rotation": 90}),
        ("landscape.mp4", {"rotation": 270, "size": (120, 160)}),
        ("upside_down.mp4", {"rotation": 180}),
        ("early_sound.mp4", {"audio_offset_s": -0.1}),
        ("telephone.mp4", {"sample_rate": 8_000}),
        ("cinema.mp4", {"channels": 6}),
        ("browser.webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
        ("ünï codé — 日本.mp4", {}),
    ],
)
def test_sound_and_pictures_keep_their_times_and_their_size(tmp_path, name, options):
    source = make_clip(tmp_path / name, bursts=BURSTS, flashes_s=FLASHES_S, **options)
    target = tmp_path / "a result.mp4"
    clip, result = through(source, target)
    assert result.duration_s == pytest.approx(clip.duration_s, abs=0.001)
    assert_same_pictures(target, source)
    assert onsets_s(target) == pytest.approx(onsets_s(source), abs=0.002)
    assert (result.video_codec, result.audio_codec, result.rotation_deg) == ("h264", "aac", 0)
    sideways = clip.rotation_deg % 180 != 0
    assert (result.width, result.height) == ((clip.height, clip.width) if sideways else (clip.width, clip.height))
    assert result.variable_frame_rate == clip.variable_frame_rate
    assert result.frames_per_s == pytest.approx(clip.frames_per_s, rel=0.001)


@pytest.mark.parametrize("fps", [25, 60])
def test_no_track_of_the_file_is_longer_than_the_clip(tmp_path, fps):
    _, result = through(make_clip(tmp_path / "clip.mp4", duration_s=0.8, fps=fps), tmp_path / "result.mp4")
    with av.open(str(tmp_path / "result.mp4")) as container:
        assert container.duration / av.time_base == pytest.approx(result.duration_s, abs=0.001)
        assert [float(track.duration * track.time_base) for track in container.streams] == pytest.approx([0.8, 0.8])


def test_a_clip_of_one_frame_gives_a_result_of_one_frame(tmp_path):
    clip, result = through(make_clip(tmp_path / "clip.mp4", duration_s=0.04), tmp_path / "result.mp4")
    assert (result.frame_count, result.duration_s) == (1, clip.duration_s)


def test_a_last_picture_that_stands_longer_keeps_its_time(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", frame_times_s=[0, 0.5], fps=1)  # the second one stands for 1 s
    clip, result = through(source, tmp_path / "result.mp4")
    assert clip.duration_s == result.duration_s == 1.5


def test_the_player_finds_the_index_at_the_start(tmp_path):
    through(make_clip(tmp_path / "clip.mp4"), tmp_path / "result.mp4")
    data = (tmp_path / "result.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_colours_and_pixel_shape_are_kept(tmp_path):
    clip = probe(make_clip(tmp_path / "clip.mp4"), SETTINGS)
    wide = type(clip)(
        **{name: getattr(clip, name) for name in clip.__slots__} | {"sample_aspect_ratio": Fraction(4, 3)}
    )
    with Muxer(tmp_path / "result.mp4", wide, SETTINGS) as muxer:
        for _, time_s, frame in read_frames(tmp_path / "clip.mp4", clip):
            frame.color_range, frame.colorspace = ColorRange.JPEG, Colorspace.ITU709
            muxer.write_video(frame, time_s)
    with av.open(str(tmp_path / "result.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_range, frame.colorspace) == (ColorRange.JPEG, Colorspace.ITU709)
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize("first", ["sound", "pictures"])
def test_one_track_may_run_ahead_of_the_other(tmp_path, first):
    source, target = make_clip(tmp_path / "clip.mp4", duration_s=2, bursts=BURSTS), tmp_path / "result.mp4"
    clip = probe(source, SETTINGS)
    with Muxer(target, clip, SETTINGS) as muxer:
        steps = [
            lambda: [muxer.write_audio(block) for block in read_audio(source, clip, RATE)],
            lambda: [muxer.write_video(frame, time_s) for _, time_s, frame in read_frames(source, clip)],
        ]
        for step in steps if first == "sound" else reversed(steps):
            step()
    assert onsets_s(target) == pytest.approx([0.3, 0.7], abs=0.002)
    assert [number for number, _ in seen(target)[1]] == list(range(50))


def test_two_threads_may_write(tmp_path):
    source, target = make_clip(tmp_path / "clip.mp4", duration_s=2, bursts=BURSTS), tmp_path / "result.mp4"
    clip = probe(source, SETTINGS)
    with Muxer(target, clip, SETTINGS) as muxer:
        sound = threading.Thread(target=lambda: [muxer.write_audio(block) for block in read_audio(source, clip, RATE)])
        sound.start()
        for _, time_s, frame in read_frames(source, clip):
            muxer.write_video(frame, time_s)
        sound.join()
    assert onsets_s(target) == pytest.approx([0.3, 0.7], abs=0.002)


def test_missing_sound_is_silence_and_sound_beyond_the_end_is_dropped(tmp_path):
    source = make_clip(tmp_path / "clip.mp4")
    clip = probe(source, SETTINGS)
    for name, length in [("short.mp4", RATE // 4), ("long.mp4", 3 * RATE)]:
        with Muxer(tmp_path / name, clip, SETTINGS) as muxer:
            muxer.write_audio(np.full(length, 0.2, np.float32))
            for _, time_s, frame in read_frames(source, clip):
                muxer.write_video(frame, time_s)
        samples = np.concatenate(list(read_audio(tmp_path / name, probe(tmp_path / name, SETTINGS), RATE)))
        assert len(samples) == RATE
        assert abs(samples[RATE // 2]) < 0.01 if name == "short.mp4" else samples[RATE // 2] > 0.1


def test_tags_are_written(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", duration_s=0.2)
    clip = probe(source, SETTINGS)
    with Muxer(tmp_path / "result.mp4", clip, SETTINGS, metadata={"title": "Dubbed"}) as muxer:
        for _, time_s, frame in read_frames(source, clip):
            muxer.write_video(frame, time_s)
    with av.open(str(tmp_path / "result.mp4")) as container:
        assert container.metadata["title"] == "Dubbed"


@pytest.mark.parametrize("way", ["an error", "abort", "no picture"])
def test_nothing_is_left_when_the_result_is_not_finished(tmp_path, way):
    source = make_clip(tmp_path / "clip.mp4")
    clip = probe(source, SETTINGS)
    folder = tmp_path / "results"
    folder.mkdir()
    if way == "an error":
        with pytest.raises(KeyError), Muxer(folder / "result.mp4", clip, SETTINGS) as muxer:
            for _, time_s, frame in read_frames(source, clip):
                muxer.write_video(frame, time_s)
            raise KeyError
    elif way == "abort":
        with Muxer(folder / "result.mp4", clip, SETTINGS) as muxer:
            for _, time_s, frame in read_frames(source, clip):
                muxer.write_video(frame, time_s)
            muxer.abort()
        with pytest.raises(ValueError, match="closed"):
            muxer.write_audio(np.zeros(10, np.float32))
    else:
        with pytest.raises(ValueError, match="at least one picture"), Muxer(folder / "result.mp4", clip, SETTINGS):
            pass
    assert list(folder.iterdir()) == []


def test_an_older_result_stays_until_the_new_one_is_whole(tmp_path):
    source, target = make_clip(tmp_path / "clip.mp4"), tmp_path / "result.mp4"
    target.write_text("older")
    clip = probe(source, SETTINGS)
    with pytest.raises(KeyError), Muxer(target, clip, SETTINGS) as muxer:
        muxer.write_audio(np.zeros(100, np.float32))
        raise KeyError
    assert target.read_text() == "older"


def test_a_folder_that_is_gone_is_a_result_not_written(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", duration_s=0.2)
    clip = probe(source, SETTINGS)
    with pytest.raises(ResultNotWritten), Muxer(tmp_path / "gone" / "result.mp4", clip, SETTINGS) as muxer:
        for _, time_s, frame in read_frames(source, clip):
            muxer.write_video(frame, time_s)


def test_time_must_go_on(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", duration_s=0.2)
    clip = probe(source, SETTINGS)
    frames = [frame for _, _, frame in read_frames(source, clip)]
    with pytest.raises(ValueError, match="cannot follow"), Muxer(tmp_path / "result.mp4", clip, SETTINGS) as muxer:
        muxer.write_video(frames[0], 0.0)
        muxer.write_video(frames[1], 0.0)


def test_a_clip_in_mp4_comes_back_byte_for_byte(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", rotation=90)
    copy_unchanged(source, tmp_path / "result.mp4", probe(source, SETTINGS))
    assert (tmp_path / "result.mp4").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(("suffix", "rotation"), [(".mkv", 0), (".mkv", 90), (".mkv", 270), (".ts", 0), (".flv", 0)])
def test_packets_that_fit_are_put_into_an_mp4_untouched(tmp_path, suffix, rotation):
    options = {"bursts": BURSTS, "flashes_s": FLASHES_S, "sample_rate": 44_100, "channels": 2, "rotation": rotation}
    source, target = make_clip(tmp_path / f"clip{suffix}", **options), tmp_path / "result.mp4"
    clip = probe(source, SETTINGS)
    copy_unchanged(source, target, clip)
    result = probe(target, SETTINGS)
    assert (result.audio_sample_rate_hz, result.audio_channels) == (44_100, 2)  # not encoded anew
    assert (result.rotation_deg, result.frame_count) == (clip.rotation_deg, 25) == (rotation, 25)
    assert result.duration_s == pytest.approx(clip.duration_s, abs=0.002)
    assert_same_pictures(target, source, 0.0015)  # Matroska counts whole milliseconds
    assert onsets_s(target) == pytest.approx(onsets_s(source), abs=0.002)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("browser.webm", {"video_codec": "libvpx", "audio_codec": "libopus"}),
        ("camera.avi", {"video_codec": "mpeg4", "audio_codec": "pcm_s16le"}),
        ("editor.mov", {"video_codec": "mjpeg", "pix_fmt": "yuvj420p", "audio_codec": "pcm_s16le", "rotation": 90}),
    ],
)
def test_codecs_that_do_not_fit_are_encoded_anew_in_stereo(tmp_path, name, options):
    source = make_clip(tmp_path / name, bursts=BURSTS, flashes_s=FLASHES_S, channels=2, **options)
    target = tmp_path / "result.mp4"
    copy_unchanged(source, target, probe(source, SETTINGS))
    result = probe(target, SETTINGS)
    assert (result.video_codec, result.audio_codec, result.audio_channels) == ("h264", "aac", 2)
    assert_same_pictures(target, source)
    assert onsets_s(target) == pytest.approx(onsets_s(source), abs=0.002)


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path):
    source = make_clip(tmp_path / "clip.mp4", duration_s=0.2)
    with pytest.raises(ResultNotWritten):
        copy_unchanged(source, tmp_path / "gone" / "result.mp4", probe(source, SETTINGS))
