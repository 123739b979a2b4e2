import subprocess
from fractions import Fraction

import pytest

from orchestrator.errors import (
    ClipTooLarge,
    EmptyClip,
    NoAudioTrack,
    NotAVideo,
    NoVideoTrack,
    ProbeFailed,
    TruncatedClip,
)
from orchestrator.media import probe as probe_module
from orchestrator.media.probe import probe
from orchestrator.settings import MediaSettings
from tests.media_factory import make_bomb, make_clip

SETTINGS = MediaSettings()
SMALLEST_MEMORY = MediaSettings(probe_memory_bytes=256 * 1024 * 1024)

PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile 'neighbour.mp4'\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nneighbour.ts\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>neighbour.mp4</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "text": "This is not a video.\n" * 20,
    "html": "<!doctype html><title>404</title>",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_text_file_named_mp4_is_refused_and_its_neighbours_stay_closed(tmp_path, kind):
    make_clip(tmp_path / "neighbour.mp4", duration_s=0.2)
    make_clip(tmp_path / "neighbour.ts", duration_s=0.2)
    path = tmp_path / "clip.mp4"
    path.write_text(PLAYLISTS[kind])
    with pytest.raises(NotAVideo, match="not a video"):
        probe(path, SETTINGS)


def test_a_picture_named_mp4_is_refused(tmp_path):
    make_clip(
        tmp_path / "picture.png",
        duration_s=0.04,
        video_codec="png",
        pix_fmt="rgb24",
        audio=False,
        container="image2pipe",
    )
    path = (tmp_path / "picture.png").rename(tmp_path / "clip.mp4")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(NotAVideo):
        probe(path, SETTINGS)


def test_noise_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(NotAVideo):
        probe(path, SETTINGS)


def test_a_file_without_bytes_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    path.touch()
    with pytest.raises(EmptyClip):
        probe(path, SETTINGS)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", {"faststart": True}),
        (".mp4", {"faststart": False}),
        (".mkv", {}),
        (".webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
        (".avi", {"video_codec": "mpeg4", "audio_codec": "libmp3lame"}),
    ],
    ids=["mp4-index-first", "mp4-index-last", "mkv", "webm", "avi"],
)
def test_a_file_that_ends_too_early_is_refused_and_the_whole_one_is_not(tmp_path, suffix, options):
    whole = make_clip(tmp_path / f"whole{suffix}", duration_s=2, size=(320, 240), **options)
    assert probe(whole, SETTINGS).frame_count == 50
    data = whole.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(TruncatedClip):
        probe(cut, SETTINGS)


def test_an_mp4_without_its_last_hundred_bytes_is_refused(tmp_path):
    whole = make_clip(tmp_path / "whole.mp4", faststart=True)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(TruncatedClip):
        probe(cut, SETTINGS)


def test_a_clip_without_sound_is_refused(tmp_path):
    with pytest.raises(NoAudioTrack):
        probe(make_clip(tmp_path / "clip.mp4", audio=False), SETTINGS)


def test_sound_alone_is_refused(tmp_path):
    with pytest.raises(NoVideoTrack):
        probe(make_clip(tmp_path / "song.m4a", video=False), SETTINGS)


def test_cover_art_is_no_video_track(tmp_path):
    song = make_clip(tmp_path / "song.m4a", video=False, cover_art=True, container="mp4")
    with pytest.raises(NoVideoTrack):
        probe(song, SETTINGS)


def test_silent_sound_is_sound(tmp_path):
    assert probe(make_clip(tmp_path / "clip.mp4"), SETTINGS).audio_codec == "aac"


def test_a_clip_of_one_frame_is_a_clip(tmp_path):
    clip = probe(make_clip(tmp_path / "clip.mp4", duration_s=0.04), SETTINGS)
    assert (clip.frame_count, clip.duration_s, clip.frames_per_s) == (1, 0.04, 25)


@pytest.mark.parametrize("header_lies", [False, True], ids=["stated", "hidden"])
def test_a_small_file_with_a_huge_picture_is_refused_within_the_memory_limit(tmp_path, header_lies):
    bomb = make_bomb(tmp_path / "bomb.mp4", (16_000, 16_000), header_lies=header_lies)
    assert bomb.stat().st_size < 10_000
    with pytest.raises(ClipTooLarge, match="pixels"):
        probe(bomb, SMALLEST_MEMORY)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"max_duration_s": 0.9}, "longer than 0.9 s"),
        ({"max_pixels": 160 * 120 - 1}, "pixels"),
        ({"max_frames_per_s": 24}, "24 pictures per second"),
        ({"max_upload_bytes": 1024}, "1024 bytes"),
    ],
    ids=["long", "large", "fast", "heavy"],
)
def test_a_clip_over_a_limit_is_refused_with_the_limit(tmp_path, limit, reason):
    path = make_clip(tmp_path / "clip.mp4", duration_s=1)
    assert probe(path, SETTINGS).duration_s == 1
    with pytest.raises(ClipTooLarge, match=reason):
        probe(path, MediaSettings(**limit))


def test_a_clip_with_too_many_tracks_is_refused(tmp_path):
    song = make_clip(tmp_path / "clip.mp4", cover_art=True)
    assert probe(song, SETTINGS).frame_count == 25
    with pytest.raises(ClipTooLarge, match="more than 2 tracks"):
        probe(song, MediaSettings(max_streams=2))


def test_a_probe_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(ProbeFailed, match="too long"):
        probe(make_clip(tmp_path / "clip.mp4"), MediaSettings(probe_timeout_s=0.001))


@pytest.mark.parametrize("printed", [b"", b"{}", b'{"clip": {"width": "wide"}}', b'{"refused": "x", "more": 1}'])
def test_an_answer_of_another_form_is_not_believed(tmp_path, monkeypatch, printed):
    ended = subprocess.CompletedProcess([], 0, stdout=printed, stderr=b"")
    monkeypatch.setattr(probe_module.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(ProbeFailed):
        probe(make_clip(tmp_path / "clip.mp4", duration_s=0.04), SETTINGS)


def test_a_child_that_dies_is_a_failed_probe(tmp_path, monkeypatch):
    ended = subprocess.CompletedProcess([], -11, stdout=b"", stderr=b"")
    monkeypatch.setattr(probe_module.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(ProbeFailed, match="safely") as failure:
        probe(make_clip(tmp_path / "clip.mp4", duration_s=0.04), SETTINGS)
    assert "status -11" in str(failure.value.__cause__)


def test_a_file_that_is_not_there_is_a_fault_of_the_caller(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nothing.mp4", SETTINGS)


@pytest.mark.parametrize(
    "name", ["two words.mp4", "a:b.mp4", "-i.mp4", "vídeo ñ 日本語 🎬.mp4", "100%d.mp4", 'it\'s "q".mp4']
)
def test_any_file_name_is_only_a_name(tmp_path, name):
    assert probe(make_clip(tmp_path / name, duration_s=0.2), SETTINGS).frame_count == 5


def test_the_name_does_not_decide_the_format(tmp_path):
    assert "matroska" in probe(make_clip(tmp_path / "clip.txt", container="matroska"), SETTINGS).container


def test_all_facts_of_a_plain_clip(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", fps=Fraction(30_000, 1001), sample_rate=44_100, channels=2)
    clip = probe(path, SETTINGS)
    assert clip.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert clip.duration_s == pytest.approx(30 * 1001 / 30_000)
    assert (clip.width, clip.height, clip.rotation_deg, clip.sample_aspect_ratio) == (160, 120, 0, 1)
    assert (clip.frames_per_s, clip.frame_count, clip.variable_frame_rate) == (Fraction(30_000, 1001), 30, False)
    assert (clip.video_codec, clip.audio_codec) == ("h264", "aac")
    assert (clip.audio_sample_rate_hz, clip.audio_channels, clip.audio_offset_s) == (44_100, 2, 0)
    assert clip.size_bytes == path.stat().st_size


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_turn_that_players_apply_is_told(tmp_path, rotation):
    clip = probe(make_clip(tmp_path / "clip.mp4", duration_s=0.2, rotation=rotation), SETTINGS)
    assert clip.rotation_deg == rotation
    assert (clip.width, clip.height) == ((160, 120) if rotation % 180 == 0 else (120, 160))


def test_uneven_pictures_are_a_variable_frame_rate(tmp_path):
    times_s = [0, 0.04, 0.1, 0.3, 0.34]
    clip = probe(make_clip(tmp_path / "clip.mp4", frame_times_s=times_s), SETTINGS)
    assert clip.variable_frame_rate
    assert clip.frame_count == 5
    assert clip.duration_s == pytest.approx(0.38)


@pytest.mark.parametrize("offset_s", [-0.2, 0.2])
def test_sound_that_starts_elsewhere_is_told(tmp_path, offset_s):
    clip = probe(make_clip(tmp_path / "clip.mkv", audio_codec="flac", audio_offset_s=offset_s), SETTINGS)
    assert clip.audio_offset_s == pytest.approx(offset_s, abs=0.002)


@pytest.mark.parametrize(("sample_rate", "channels"), [(8_000, 1), (48_000, 6)], ids=["8 kHz mono", "48 kHz 5.1"])
def test_any_sound_layout_is_told(tmp_path, sample_rate, channels):
    clip = probe(make_clip(tmp_path / "clip.mp4", sample_rate=sample_rate, channels=channels), SETTINGS)
    assert (clip.audio_sample_rate_hz, clip.audio_channels) == (sample_rate, channels)
