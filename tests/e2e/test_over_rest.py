"""A clip over REST through RabbitMQ, the stage workers, the session owner and Triton, each a process of its own."""

import json
from fractions import Fraction

import numpy as np
import pytest

from client.errors import RestError
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.media.video import read_frames
from orchestrator.settings import MediaSettings
from tests.e2e.conftest import RATE_HZ, SAMPLES
from tests.media_factory import make_clip

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]
LIMITS = MediaSettings()


def dub(gateway, clip, tmp_path, target="es"):
    """Have a clip dubbed; return the result's path, its segments and its report."""
    done = gateway.wait(gateway.create(clip, target)["id"])
    assert done["state"] == "succeeded", done["error"]
    result = gateway.download(done["id"], "result.mp4", tmp_path / "result.mp4")
    segments = json.loads(gateway.download(done["id"], "segments.json", tmp_path / "segments.json").read_text())
    report = json.loads(gateway.download(done["id"], "report.json", tmp_path / "report.json").read_text())
    assert_same_shape(clip, result)
    return result, segments["segments"], report


def assert_same_shape(clip, result):
    source, dubbed = probe(clip, LIMITS), probe(result, LIMITS)
    turned = source.rotation_deg % 180 == 90
    shown = (source.height, source.width) if turned else (source.width, source.height)
    assert (dubbed.width, dubbed.height) == shown
    assert dubbed.frame_count == source.frame_count
    assert abs(dubbed.duration_s - source.duration_s) <= 1 / float(source.frames_per_s)


def onsets_s(path):
    """Where sound begins after at least 0.4 s of silence."""
    sound = np.concatenate(list(read_audio(path, probe(path, LIMITS), RATE_HZ)))
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    starts = loud[np.diff(loud, prepend=-RATE_HZ) > 0.4 * RATE_HZ]
    return starts / RATE_HZ


def luma(path):
    """All frames' brightness, [n, h, w]."""
    return np.stack([frame.to_ndarray(format="gray") for _, _, frame in read_frames(path, probe(path, LIMITS))])


def test_the_sample_is_dubbed_into_spanish_on_time(gateway, tmp_path):
    sample = SAMPLES / "astronaut_en.mp4"
    result, segments, report = dub(gateway, sample, tmp_path)
    assert [segment["source_text"].lower().strip(".") for segment in segments] == [
        "today is a very important day",
        "tomorrow we will fly to the moon",
        "the journey to the moon takes three days",
    ]
    assert segments[0]["text"].startswith("Hoy es un día muy importante")
    assert np.abs(onsets_s(result) - onsets_s(sample)).max() <= 0.05
    assert report["start_error_ms_max"] <= 50
    assert report["overlap_s"] > 0
    for stage in ("stt", "mt", "tts"):
        assert report["stages"][stage]["items"] == 3
        assert report["stages"][stage]["compute_s"] > 0
    changed = np.abs(luma(result).astype(int) - luma(sample)).max(axis=0)
    top_of_the_picture = changed[:40]
    assert top_of_the_picture.max() < 40, "only H.264's own noise far from the mouth"
    assert changed.max() > 60, "the lips move"


def test_a_sentence_with_a_pause_in_it_is_dubbed_as_one(gateway, tmp_path, spoken_clip):
    clip = spoken_clip("Tomorrow we will fly", 0.6, "to the moon.", 0.9, "Today is a very important day.")
    result, segments, report = dub(gateway, clip, tmp_path)
    assert [segment["source_text"].lower().strip(".") for segment in segments] == [
        "tomorrow we will fly to the moon",
        "today is a very important day",
    ]
    assert segments[0]["text"].startswith("Mañana volaremos a la luna")
    assert [len(segment["chunks"]) for segment in segments] == [2, 1]
    assert (report["gate"]["chunks"], report["gate"]["sentences"], report["gate"]["joined"]) == (3, 2, 1)
    assert (report["gate"]["engine"], report["gate"]["scored"]) == ("sentence_boundary", 3)
    assert report["stages"]["stt"]["items"] == 3
    assert report["stages"]["mt"]["items"] == report["stages"]["tts"]["items"] == 2
    starts_s = [segment["start_ms"] / 1000 for segment in segments]
    assert np.abs(onsets_s(result)[[0, -1]] - starts_s).max() <= 0.05


def test_a_clip_without_speech_comes_back_unchanged(gateway, tmp_path, talking_clip):
    silent = talking_clip(samples=np.zeros(2 * RATE_HZ, np.float32))
    result, segments, report = dub(gateway, silent, tmp_path)
    assert result.read_bytes() == silent.read_bytes()
    assert segments == []
    assert report["outcome"] == "no-speech"


def test_no_face_at_all_still_gives_a_dub(gateway, tmp_path, talking_clip, portrait):
    clip = talking_clip(picture=np.full_like(portrait, 90))
    _, segments, report = dub(gateway, clip, tmp_path)
    assert len(segments) == 1
    assert report["frames_with_face"] == report["frames_with_lips"] == 0


def test_of_several_faces_the_largest_speaks(gateway, tmp_path, talking_clip, portrait):
    pair = np.full((256, 448, 3), 128, np.uint8)
    pair[:, :256] = portrait
    pair[64:256, 256:] = portrait[::4, ::4].repeat(3, axis=0).repeat(3, axis=1)
    clip = talking_clip(picture=pair)
    result, _, report = dub(gateway, clip, tmp_path)
    assert report["frames_with_lips"] > 0
    moved = np.abs(luma(result).astype(int) - luma(clip)).max(axis=0)
    assert moved[:, :256].max() > 2 * moved[:, 256:].max()


CLIPS = {
    "odd size": {"size": (241, 255), "pix_fmt": "yuv444p"},
    "portrait, turned by 90 degrees": {"rotation": 90},
    "portrait, turned by 270 degrees": {"rotation": 270},
    "variable frame rate": {"frame_times_s": [0, 0.02, 0.1, *np.arange(0.2, 2.4, 0.07).round(3)]},
    "8 kHz mono": {"sample_rate": 8_000},
    "48 kHz 5.1": {"sample_rate": 48_000, "channels": 6},
    "Matroska": {"name": "clip.mkv"},
    "30000/1001 frames a second": {"fps": Fraction(30_000, 1001)},
    "spaces and Unicode in its name": {"name": "el niño — mi vídeo (1) ✓.mp4"},
}


@pytest.mark.parametrize("options", CLIPS.values(), ids=CLIPS.keys())
def test_unusual_clips_are_dubbed_as_well(gateway, tmp_path, talking_clip, portrait, options):
    options = dict(options)
    if "size" in options:
        width, height = options["size"]
        options["picture"] = portrait[:height, :width]
    _, segments, report = dub(gateway, talking_clip(**options), tmp_path)
    assert segments[0]["text"]
    assert report["frames_with_lips"] > 0


def test_a_clip_of_one_frame_is_handled(gateway, tmp_path, talking_clip):
    clip = talking_clip(frame_times_s=[0.0], duration_s=0.04, samples=np.zeros(640, np.float32))
    _, _, report = dub(gateway, clip, tmp_path)
    assert report["outcome"] == "no-speech"


def refusal(gateway, clip, **options):
    with pytest.raises(RestError) as caught:
        gateway.create(clip, **({"target_language": "es"} | options))
    return caught.value


BAD = {
    "not a video": (lambda path: path.write_text("just words"), 415, "not-a-video"),
    "zero bytes": (lambda path: path.write_bytes(b""), 422, "empty-clip"),
    "truncated": (
        lambda path: path.write_bytes((SAMPLES / "astronaut_en.mp4").read_bytes()[:150_000]), 422, "truncated-clip",
    ),
    "no audio track": (lambda path: make_clip(path, audio=False), 422, "no-audio-track"),
    "no video track": (lambda path: make_clip(path, video=False), 422, "no-video-track"),
    "too many frames a second": (lambda path: make_clip(path, fps=200, size=(64, 64)), 413, "clip-too-large"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "status", "code"), BAD.values(), ids=BAD.keys())
def test_bad_clips_are_refused_before_any_model_sees_them(gateway, tmp_path, make, status, code):
    clip = tmp_path / "bad.mp4"
    make(clip)
    error = refusal(gateway, clip)
    assert (error.status, error.problem) == (status, code)


def test_an_unsupported_pair_is_refused_with_the_pairs_there_are(gateway, talking_clip):
    error = refusal(gateway, talking_clip(), target_language="fi")
    assert (error.status, error.problem) == (422, "language-pair-unsupported")
    assert "en-es" in str(error)


def test_an_engine_that_is_not_loaded_is_named(gateway, talking_clip):
    error = refusal(gateway, talking_clip(), engines={"lips": "lips_wav2lip"})
    assert error.status == 503
    assert "lips_wav2lip" in str(error)
