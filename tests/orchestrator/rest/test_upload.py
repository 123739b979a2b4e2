import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.media.probe import probe
from orchestrator.rest.middleware import LINGER_BYTES
from orchestrator.rest.upload import FIELD_BYTES, MAX_PARTS, OVERHEAD_BYTES, shown_name
from orchestrator.store.states import DubState
from tests.fakes.gateway import RunningGateway, answer_to_head, post_clip, running_gateway
from tests.media_factory import make_clip
from tests.waiting import eventually

LIMIT_BYTES = 200_000
BOUNDARY = "frontier"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """The real probe, and a small limit."""
    folder = tmp_path_factory.mktemp("gateway")
    with running_gateway(folder, probe=probe, media={"max_upload_bytes": LIMIT_BYTES}) as gateway:
        yield gateway


@pytest.fixture
def nothing_left(gateway: RunningGateway) -> Iterator[None]:
    """After a refusal there is no file, no row and no job."""
    before = (gateway.leftovers(), gateway.dubs.counts(), gateway.jobs_waiting())
    yield
    assert (gateway.leftovers(), gateway.dubs.counts(), gateway.jobs_waiting()) == before
    assert not list((gateway.folder / "work" / "uploads").glob("*"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def part(name: str, value: str | bytes, file_name: str | None = None) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    tail = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{tail}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def post_parts(gateway: RunningGateway, *parts: bytes, end: bytes = f"--{BOUNDARY}--\r\n".encode()) -> httpx.Response:
    return httpx.post(f"{gateway.url}/v1/dubs", content=b"".join(parts) + end, headers=MULTIPART)


def test_a_real_clip_passes_the_real_probe(gateway, tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", duration_s=0.4)
    answer = post_clip(gateway.url, clip.read_bytes(), name="mein Clip ä.mp4")
    assert answer.status_code == 202
    shown = httpx.get(answer.json()["links"]["self"]).json()
    assert shown["clip"]["width"] == 160
    assert shown["clip"]["name"] == "mein Clip ä.mp4"


@pytest.mark.usefixtures("nothing_left")
class TestRefused:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [(b"", (422, "empty-clip")), (b"this is no video at all" * 50, (415, "not-a-video"))],
        ids=["zero bytes", "not a video"],
    )
    def test_what_is_no_clip_is_refused(self, gateway, content, expected):
        assert code_of(post_clip(gateway.url, content)) == expected

    def test_a_clip_without_sound_is_refused_with_the_reason(self, gateway, tmp_path):
        clip = make_clip(tmp_path / "mute.mp4", duration_s=0.2, audio=False)
        assert code_of(post_clip(gateway.url, clip.read_bytes())) == (422, "no-audio-track")

    def test_a_truncated_clip_is_refused(self, gateway, tmp_path):
        content = make_clip(tmp_path / "cut.mp4", duration_s=1).read_bytes()
        status, code = code_of(post_clip(gateway.url, content[: len(content) // 2]))
        assert (status, code) == (422, "truncated-clip")

    def test_one_byte_over_the_limit_is_too_large(self, gateway):
        assert code_of(post_clip(gateway.url, b"x" * (LIMIT_BYTES + 1))) == (413, "clip-too-large")

    def test_a_large_content_length_is_refused_before_anything_is_sent(self, gateway):
        size = LIMIT_BYTES + OVERHEAD_BYTES + 1
        status, body = answer_to_head(gateway.url, MULTIPART["Content-Type"], content_length=size)
        assert status == 413
        assert b"clip-too-large" in body

    def test_an_endless_upload_is_cut_off_as_soon_as_it_passes_the_limit(self, gateway):
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            yield part("clip", b"", "x.mp4").removesuffix(b"\r\n")
            while True:
                sent += 65_536
                yield b"x" * 65_536

        assert code_of(httpx.post(f"{gateway.url}/v1/dubs", content=endless(), headers=MULTIPART)) == (
            413,
            "clip-too-large",
        )
        assert sent < LIMIT_BYTES + OVERHEAD_BYTES + LINGER_BYTES + 20 * 2**20  # the last: the sockets' own buffers

    def test_a_client_that_goes_away_leaves_nothing(self, gateway):
        address = urlsplit(gateway.url)
        head = (
            f"POST /v1/dubs HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART['Content-Type']}\r\n"
            "Content-Length: 100000\r\n\r\n"
        )
        uploads = gateway.folder / "work" / "uploads"
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(head.encode() + part("clip", b"x" * 1000, "x.mp4"))
            eventually(lambda: any(uploads.glob("*/*")), what="the upload has begun")
        eventually(lambda: not any(uploads.glob("*")), what="its folder is gone")

    @pytest.mark.parametrize(
        ("parts", "word"),
        [
            ([part("target_language", "es")], "clip is missing"),
            ([part("clip", b"x", "x.mp4")], "target_language is missing"),
            ([part("clip", b"x", "x.mp4"), part("target_language", "")], "target_language is missing"),
            ([part("clip", "x"), part("target_language", "es")], "must be a file"),
            ([part("clip", b"x", "a"), part("clip", b"y", "b")], "comes twice"),
            ([part("clip", b"x", "a"), part("target_language", "es"), part("target_language", "en")], "comes twice"),
            ([part("clip", b"x", "a"), part("target_language", "es"), part("nonsense", "1")], "nonsense"),
            ([part("target_language", "e" * (FIELD_BYTES + 1))], "bytes"),
            ([part(f"f{n}", "") for n in range(MAX_PARTS + 1)], "fields"),
            ([part("clip", b"x", "a"), part("target_language", b"\xff")], "UTF-8"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_wrong_form_is_refused_naming_what_is_wrong(self, gateway, parts, word):
        answer = post_parts(gateway, *parts)
        assert code_of(answer) == (422, "bad-request")
        assert word in answer.json()["detail"]

    def test_a_form_that_breaks_off_is_refused(self, gateway):
        answer = post_parts(gateway, part("clip", b"x", "a"), part("target_language", "es"), end=b"")
        assert code_of(answer) == (422, "bad-request")

    def test_garbage_after_the_boundary_is_refused(self, gateway):
        assert code_of(post_parts(gateway, b"no form at all")) == (422, "bad-request")

    @pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "", "multipart/mixed; boundary=x"])
    def test_another_content_type_is_refused(self, gateway, kind):
        answer = httpx.post(f"{gateway.url}/v1/dubs", content=b"{}", headers={"Content-Type": kind})
        assert code_of(answer) == (422, "bad-request")

    @pytest.mark.parametrize(
        ("fields", "word"),
        [
            ({"target_language": "spanish"}, "target_language"),
            ({"target_language": "../x"}, "target_language"),
            ({"source_language": "e"}, "source_language"),
            ({"engines": "not json"}, "JSON"),
            ({"engines": "[" * 5000}, "JSON"),
            ({"engines": '["stt"]'}, "object"),
            ({"engines": '{"sst": "x"}'}, "no task 'sst'"),
            ({"engines": '{"stt": "../x"}'}, "no model's name"),
            ({"engines": '{"stt": 1}'}, "no model's name"),
            ({"engines": '{"stt": "x@0"}'}, "no model's name"),
            ({"engines": '{"stt": "x@latest"}'}, "no model's name"),
        ],
    )
    def test_a_wrong_field_is_refused_naming_it(self, gateway, fields, word):
        answer = post_clip(gateway.url, **fields)
        assert code_of(answer) == (422, "bad-request")
        assert word in answer.json()["detail"]

    def test_an_unsupported_direction_names_the_pairs_there_are(self, gateway):
        answer = post_clip(gateway.url, target_language="fr")
        assert code_of(answer) == (422, "language-pair-unsupported")
        assert answer.json()["pairs"] == [{"source": "en", "target": "es"}]
        assert "en-es" in answer.json()["detail"]

    def test_an_engine_that_is_not_loaded_is_named_and_worth_another_try(self, gateway):
        answer = post_clip(gateway.url, engines='{"lips": "lips_wav2lip"}')
        assert code_of(answer) == (503, "engine-not-loaded")
        assert answer.json()["model"] == "lips_wav2lip"
        assert int(answer.headers["retry-after"]) > 0

    def test_rejections_are_counted_by_reason(self, gateway):
        post_clip(gateway.url, b"")
        metrics = httpx.get(f"{gateway.url}/metrics").text
        assert 'polylip_upload_rejected_total{reason="empty-clip"}' in metrics


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.mp4", "x.mp4"),
        ("/etc/passwd", "passwd"),
        ("C:\\clips\\holiday.mov", "holiday.mov"),
        ("a\r\nSet-Cookie: x.mp4", "aSet-Cookie: x.mp4"),
        ("..", "clip"),
        ("", "clip"),
        ("日本 語 🎬.mp4", "日本 語 🎬.mp4"),
        ("<script>alert(1)</script>.mp4", "script>.mp4"),
        ("n" * 300, "n" * 200),
    ],
)
def test_a_files_name_becomes_harmless_text(name, shown):
    assert shown_name(name) == shown


@given(st.text())
def test_no_name_keeps_a_path_or_a_control_character(name):
    shown = shown_name(name)
    assert shown
    assert not set(shown) & set("/\\\r\n\x00")
    assert shown not in (".", "..")


def test_an_evil_name_reaches_no_file_system(tmp_path):
    with running_gateway(tmp_path) as gateway:
        answer = post_clip(gateway.url, b"x", name="../../../evil.mp4")
        shown = httpx.get(answer.json()["links"]["self"]).json()
        assert shown["clip"]["name"] == "evil.mp4"
        assert [path.name for path in tmp_path.rglob("*") if "evil" in path.name] == []


def test_too_many_active_dubs_are_refused_until_one_ends(tmp_path):
    with running_gateway(tmp_path, gateway={"max_active_dubs": 1}) as gateway:
        first = post_clip(gateway.url).json()
        refused = post_clip(gateway.url)
        assert code_of(refused) == (503, "too-many-dubs")
        assert int(refused.headers["retry-after"]) > 0
        httpx.delete(first["links"]["self"])
        assert post_clip(gateway.url).status_code == 202
        assert gateway.dubs.counts()[DubState.QUEUED] == 1
