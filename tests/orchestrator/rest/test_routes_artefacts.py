import uuid

import httpx
import pytest

from orchestrator.media.probe import probe
from tests.fakes.gateway import REPORT, SEGMENTS, SOURCE_VTT, SRT, VTT, FakeOwner, post_clip, running_gateway
from tests.media_factory import make_clip
from tests.waiting import eventually


@pytest.fixture(scope="module", params=["file", "memory"])
def finished(request, tmp_path_factory):
    """The address of a dub that is done, with its media on disk and in a store without paths."""
    folder = tmp_path_factory.mktemp("gateway")
    media_url = f"file://{folder}/media" if request.param == "file" else f"memory://{uuid.uuid4()}"
    store = {"database_url": f"sqlite:///{folder}/polylip.db", "media_url": media_url}
    with running_gateway(folder, store=store) as gateway:
        with FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
            owner.go.set()
            dub_id = post_clip(gateway.url, b"the source").json()["id"]
            eventually(lambda: bool(owner.settled))
        yield f"{gateway.url}/v1/dubs/{dub_id}"


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("clip", "video/mp4", b"the source"),
        ("result.mp4", "video/mp4", b"0123456789"),
        ("subtitles.srt", "application/x-subrip; charset=utf-8", SRT),
        ("subtitles.vtt", "text/vtt; charset=utf-8", VTT),
        ("subtitles.vtt?language=es", "text/vtt; charset=utf-8", VTT),
        ("subtitles.vtt?language=en", "text/vtt; charset=utf-8", SOURCE_VTT),
        ("segments.json", "application/json", SEGMENTS),
        ("report.json", "application/json", REPORT),
    ],
)
def test_every_artefact_is_served_with_its_type(finished, path, kind, content):
    answer = httpx.get(f"{finished}/{path}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_gives_just_these_bytes(finished, asked, content, told):
    answer = httpx.get(f"{finished}/result.mp4", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == told
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_range_behind_the_end_is_refused_naming_the_size(finished):
    answer = httpx.get(f"{finished}/result.mp4", headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.json()["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == "bytes */10"


def test_a_range_of_another_version_gives_the_whole(finished):
    current = httpx.get(f"{finished}/result.mp4").headers["etag"]
    for version, status in ((current, 206), ('"old"', 200)):
        headers = {"Range": "bytes=0-1", "If-Range": version}
        assert httpx.get(f"{finished}/result.mp4", headers=headers).status_code == status


def test_what_the_client_has_already_is_not_sent_again(finished):
    current = httpx.get(f"{finished}/result.mp4").headers["etag"]
    answer = httpx.get(f"{finished}/result.mp4", headers={"If-None-Match": current})
    assert (answer.status_code, answer.content) == (304, b"")


def test_subtitles_in_a_language_that_was_not_made_are_not_there(finished):
    answer = httpx.get(f"{finished}/subtitles.srt?language=fr")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-ready")


@pytest.mark.parametrize("language", ["ES", "../x", "spanish"])
def test_a_wrong_language_is_refused(finished, language):
    answer = httpx.get(f"{finished}/subtitles.srt", params={"language": language})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")


def test_an_artefact_that_is_not_made_yet_is_worth_another_try(gateway):
    links = post_clip(gateway.url).json()["links"]
    answer = httpx.get(links["result"])
    assert (answer.status_code, answer.json()["code"]) == (404, "not-ready")
    assert int(answer.headers["retry-after"]) > 0
    assert httpx.get(links["clip"]).status_code == 200


@pytest.mark.parametrize(
    ("suffix", "codec", "kind"), [("mkv", "libx264", "video/x-matroska"), ("webm", "libvpx", "video/webm")]
)
def test_a_clip_is_served_as_what_the_probe_found(tmp_path, suffix, codec, kind):
    audio = "libopus" if suffix == "webm" else "aac"
    clip = make_clip(tmp_path / f"clip.{suffix}", duration_s=0.2, video_codec=codec, audio_codec=audio)
    with running_gateway(tmp_path, probe=probe) as gateway:
        links = post_clip(gateway.url, clip.read_bytes(), name="page.html").json()["links"]
        assert httpx.get(links["clip"]).headers["content-type"] == kind
