from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import NoVideoTrack
from orchestrator.media.probe import probe
from orchestrator.media.video import planar, read_frames, upright
from orchestrator.settings import MediaSettings
from orchestrator.visual.planes import planes_of
from tests.media_factory import is_flash, make_clip, read_counter

SETTINGS = MediaSettings()


def frames_of(path):
    return list(read_frames(path, probe(path, SETTINGS)))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264.mp4", {}),  # has B-frames: decoding order is not presentation order
        ("vp9.webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
        ("tenbit.mp4", {"pix_fmt": "yuv420p10le"}),
        ("rgb.mp4", {"video_codec": "libx264rgb", "pix_fmt": "rgb24"}),
        ("fullrange.mp4", {"pix_fmt": "yuvj420p"}),
        ("full_chroma.mp4", {"pix_fmt": "yuv444p"}),
    ],
)
def test_every_picture_comes_once_and_in_order(tmp_path, name, options):
    frames = frames_of(make_clip(tmp_path / name, flashes_s=[0.4], **options))
    assert [index for index, _, _ in frames] == list(range(25))
    assert [read_counter(frame) for _, _, frame in frames] == list(range(25))
    assert [time_s for _, time_s, _ in frames] == pytest.approx([index / 25 for index in range(25)], abs=0.001)
    assert [index for index, _, frame in frames if is_flash(frame)] == [10]
    assert {frame.format.name for _, _, frame in frames} == {"yuv420p"}


@pytest.mark.parametrize("size", [(160, 120), (161, 121)])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_come_upright_in_any_size(tmp_path, rotation, size):
    path = make_clip(tmp_path / "clip.mp4", duration_s=0.3, size=size, rotation=rotation, video_codec="mpeg4")
    frames = frames_of(path)
    assert [read_counter(frame) for _, _, frame in frames] == list(range(8))
    assert {(frame.width, frame.height) for _, _, frame in frames} == {size}


def test_times_start_at_the_first_picture_and_keep_the_source_s_steps(tmp_path):
    times_s = [0, 0.04, 0.1, 0.3, 0.34, 0.5]
    for offset_s in (0.0, -0.3):
        path = make_clip(tmp_path / "clip.mp4", frame_times_s=times_s, audio_offset_s=offset_s)
        assert [time_s for _, time_s, _ in frames_of(path)] == pytest.approx(times_s, abs=0.0001)


def test_pictures_with_equal_times_are_moved_apart(tmp_path):
    path = make_clip(tmp_path / "clip.mkv", frame_times_s=[0, 0.04, 0.0402, 0.0404, 0.08])
    times_s = [time_s for _, time_s, _ in frames_of(path)]
    assert len(times_s) == 5
    assert all(after > before for before, after in pairwise(times_s))
    assert times_s[-1] == pytest.approx(0.08, abs=0.001)


def test_planes_are_the_decoder_s_bit_for_bit(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", duration_s=0.2)
    with av.open(str(path)) as container:
        decoded = [[plane.copy() for plane in planes_of(frame)] for frame in container.decode(video=0)]
    for (_, _, frame), planes in zip(frames_of(path), decoded, strict=True):
        assert all(np.array_equal(read, kept) for read, kept in zip(planes_of(frame), planes, strict=True))


def test_full_range_pictures_keep_their_bits_and_say_so(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", duration_s=0.2, pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        first = planes_of(next(container.decode(video=0))).luma.copy()
    _, _, frame = frames_of(path)[0]
    assert frame.color_range == ColorRange.JPEG
    assert np.array_equal(planes_of(frame).luma, first)


def test_a_picture_of_another_size_in_mid_stream_is_scaled():
    small = av.VideoFrame.from_ndarray(np.full((60, 80, 3), 200, np.uint8), format="rgb24").reformat(format="yuv420p")
    assert (planar(small, 160, 120).width, planar(small, 160, 120).height) == (160, 120)


@given(
    width=st.integers(2, 40),
    height=st.integers(2, 40),
    rotation=st.sampled_from([90, 180, 270]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_turning_loses_no_sample(width, height, rotation, seed):
    frame = av.VideoFrame(width, height, "yuv420p")
    random = np.random.default_rng(seed)
    for plane in planes_of(frame):
        plane[:] = random.integers(0, 256, plane.shape, np.uint8)
    back = upright(upright(frame, rotation), 360 - rotation)
    assert all(np.array_equal(a, b) for a, b in zip(planes_of(back), planes_of(frame), strict=True))


def test_a_damaged_packet_costs_pictures_but_not_the_rest(tmp_path):
    path = make_clip(tmp_path / "clip.mkv", duration_s=2, size=(320, 240), video_options={"g": "10"})
    clip = probe(path, SETTINGS)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 60] = bytes(60)
    path.write_bytes(data)
    numbers = [read_counter(frame) for _, _, frame in read_frames(path, clip)]
    assert len(numbers) > 30
    assert numbers[-1] == 49


def test_a_clip_without_pictures_is_refused(tmp_path):
    song, clip = make_clip(tmp_path / "song.m4a", video=False), make_clip(tmp_path / "clip.mp4")
    with pytest.raises(NoVideoTrack):
        list(read_frames(song, probe(clip, SETTINGS)))


def test_a_reader_that_is_left_early_closes_the_file(tmp_path):
    path = make_clip(tmp_path / "clip.mp4")
    frames = read_frames(path, replace(probe(path, SETTINGS)))
    next(frames)
    frames.close()
    assert next(frames, None) is None
