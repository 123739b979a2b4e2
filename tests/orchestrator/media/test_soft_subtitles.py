import av
import pytest

from orchestrator.errors import ResultNotWritten
from orchestrator.media.mux import Muxer
from orchestrator.media.probe import probe
from orchestrator.media.soft_subtitles import SubtitleTrack, add_subtitles
from orchestrator.media.video import read_frames
from orchestrator.settings import MediaSettings
from orchestrator.subtitles.cues import Cue
from tests.media_factory import make_clip

SPANISH = SubtitleTrack("es", [Cue(200, 700, "Hola {a} <b>\ntodos"), Cue(700, 1000, "ñ"), Cue(1500, 1900, "日本")])
ENGLISH = SubtitleTrack("en", [Cue(0, 400, "Hello everybody")])


@pytest.fixture
def result(tmp_path):
    """What the muxer writes, with a title."""
    clip_path = make_clip(tmp_path / "clip.mp4", duration_s=2.0)
    settings = MediaSettings()
    clip = probe(clip_path, settings)
    with Muxer(tmp_path / "result.mp4", clip, settings, metadata={"title": "A dub"}) as muxer:
        for _, time_s, frame in read_frames(clip_path, clip):
            muxer.write_video(frame, time_s)
    clip_path.unlink()
    return tmp_path / "result.mp4"


def all_media(path):
    packets = []
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            stream = getattr(container.streams, kind)[0]
            packets += [
                (kind, stream.time_base, packet.pts, packet.dts, packet.duration, bytes(packet))
                for packet in container.demux(stream)
                if packet.size
            ]
    return packets


def cues_of(path, number):
    """What a player would show: samples of no text end the one before."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[number]
        packets = [packet for packet in container.demux(stream) if packet.size]
        samples = [(packet.pts, packet.duration, bytes(packet)[2:].decode()) for packet in packets]
    ends = [pts for pts, _, _ in samples[1:]] + [sum(samples[-1][:2])]
    shown = [Cue(pts, end, text) for (pts, _, text), end in zip(samples, ends, strict=True) if text]
    return [cue for cue in shown if cue.end_ms > cue.start_ms]


def test_every_cue_is_in_its_track_with_its_times_and_its_very_text(result):
    add_subtitles(result, [SPANISH, ENGLISH])
    assert cues_of(result, 0) == SPANISH.cues
    assert cues_of(result, 1) == ENGLISH.cues


def test_the_tracks_tell_their_languages(result):
    add_subtitles(result, [SPANISH, ENGLISH])
    with av.open(str(result)) as container:
        assert [stream.language for stream in container.streams.subtitles] == ["spa", "eng"]
        assert {stream.codec_context.name for stream in container.streams.subtitles} == {"mov_text"}


def test_sound_and_pictures_stay_bit_for_bit_and_keep_their_times(result):
    before = all_media(result)
    add_subtitles(result, [SPANISH, ENGLISH])
    assert all_media(result) == before
    with av.open(str(result)) as container:
        assert container.metadata["title"] == "A dub"


def test_a_player_of_text_decodes_them(result):
    add_subtitles(result, [SPANISH])
    with av.open(str(result)) as container:
        texts = [subtitle.dialogue for packet in container.demux(subtitles=0) for subtitle in packet.decode()]
    assert b"\xc3\xb1" in texts


def test_without_a_cue_the_file_is_not_touched(result):
    before = result.read_bytes()
    add_subtitles(result, [SubtitleTrack("es", [])])
    assert result.read_bytes() == before


def test_a_file_that_cannot_be_read_is_left_as_it_was(tmp_path):
    path = tmp_path / "result.mp4"
    path.write_bytes(b"no video")
    with pytest.raises(ResultNotWritten):
        add_subtitles(path, [SPANISH])
    assert [p.name for p in tmp_path.iterdir()] == ["result.mp4"]
    assert path.read_bytes() == b"no video"
