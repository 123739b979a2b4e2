"""A gateway that really listens, on parts that live in this process, and an owner that does what it is told."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn

from orchestrator.media.clip import ClipInfo
from orchestrator.messages import DubJob, decode_as
from orchestrator.models.admin import ModelAdmin
from orchestrator.queues import topology
from orchestrator.queues.broker import Broker, Delivery, QueueSpec
from orchestrator.queues.memory import MemoryBroker
from orchestrator.rest.app import create_app
from orchestrator.rest.context import Gateway, Probe, TritonAdmin
from orchestrator.settings import MediaSettings, Settings
from orchestrator.store.artefacts import Artefact
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from tests.fakes.triton_admin import FakeTritonAdmin
from tests.waiting import eventually

START_TIMEOUT_S = 20.0
SEGMENTS = (
    b'{"segments":[{"sequence":0,"start_ms":100,"end_ms":900,"source_text":"Hello <b>there</b>.",'
    b'"text":"Hola a todos.","verdict":"tight","rate":1.3,"onset_error_ms":120,"dub_start_ms":100,"dub_end_ms":880}]}'
)
VTT = b"WEBVTT\n\n00:00:00.100 --> 00:00:00.880\nHola a todos.\n"
SRT = b"1\n00:00:00,100 --> 00:00:00,880\nHola a todos.\n"
SOURCE_VTT = b"WEBVTT\n\n00:00:00.100 --> 00:00:00.900\nHello there.\n"
REPORT = b'{"outcome":"dubbed","rtf":0.5,"wall_s":0.5}'


def any_clip(path: Path, _settings: MediaSettings) -> ClipInfo:
    """A probe that likes everything."""
    return ClipInfo(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        duration_s=1.0,
        width=160,
        height=120,
        rotation_deg=0,
        sample_aspect_ratio=Fraction(1),
        frames_per_s=Fraction(25),
        variable_frame_rate=False,
        frame_count=25,
        video_codec="h264",
        audio_codec="aac",
        audio_sample_rate_hz=48_000,
        audio_channels=1,
        audio_offset_s=0.0,
        size_bytes=path.stat().st_size,
    )


@dataclass
class RunningGateway:
    """Everything a test may want to reach into."""

    url: str
    settings: Settings
    broker: Broker
    dubs: DubStore
    media: MediaStore
    triton: Any
    folder: Path

    def jobs_waiting(self) -> int:
        return self.broker.depth(topology.JOBS)

    def leftovers(self) -> list[Path]:
        """Every file and row-less folder that is kept: uploads under way and stored media."""
        return [path for top in ("work", "media") for path in (self.folder / top).rglob("*") if path.is_file()]


def gateway_settings(folder: Path, **sections: dict[str, object]) -> Settings:
    """Settings with all state below `folder`; other sections by name."""
    values: dict[str, dict[str, object]] = {
        "store": {"database_url": f"sqlite:///{folder}/polylip.db", "media_url": f"file://{folder}/media"},
        "session": {"work_dir": folder / "work"},
    }
    for name, section in sections.items():  # a test that changes one field of a section keeps the others
        values[name] = values.get(name, {}) | section
    return Settings.model_validate(values)


def gateway_parts(folder: Path, **sections: dict[str, object]) -> Gateway:
    """The parts of a gateway that does not listen."""
    settings = gateway_settings(folder, **sections)
    dubs, media = DubStore(settings.store.database_url), MediaStore(settings.store.media_url)
    app = create_app(
        settings,
        broker=MemoryBroker(settings.broker),
        dubs=dubs,
        media=media,
        triton=FakeTritonAdmin(),
        probe=any_clip,
    )
    gateway: Gateway = app.state.gateway
    return gateway


@contextmanager
def running_gateway(
    folder: Path,
    *,
    broker: Broker | None = None,
    triton: TritonAdmin | None = None,
    probe: Probe = any_clip,
    models: ModelAdmin | None = None,
    **sections: dict[str, object],
) -> Iterator[RunningGateway]:
    """Serve the gateway on a free loopback port."""
    settings = gateway_settings(folder, **sections)
    broker = broker or MemoryBroker(settings.broker)
    dubs, media = DubStore(settings.store.database_url), MediaStore(settings.store.media_url)
    triton = triton or FakeTritonAdmin()
    app = create_app(settings, broker=broker, dubs=dubs, media=media, triton=triton, probe=probe, models=models)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), START_TIMEOUT_S, "the start of the gateway")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield RunningGateway(f"http://127.0.0.1:{port}", settings, broker, dubs, media, triton, folder)
    finally:
        server.should_exit = True
        thread.join()
        broker.close()
        dubs.close()


def post_clip(
    url: str,
    content: bytes = b"a clip",
    *,
    name: str = "clip.mp4",
    headers: dict[str, str] | None = None,
    transcript: bytes | None = None,
    **fields: str,
) -> httpx.Response:
    """Upload a clip, to Spanish unless told otherwise; a field of "" is left out."""
    values = {"target_language": "es", **fields}
    data = {field: value for field, value in values.items() if value}
    files = {"clip": (name, content, "video/mp4")}
    if transcript is not None:
        files["transcript"] = ("any name.srt", transcript, "application/x-subrip")
    return httpx.post(f"{url}/v1/dubs", data=data, files=files, headers=headers, timeout=30)


def answer_to_head(url: str, content_type: str, content_length: int) -> tuple[int, bytes]:
    """Announce an upload, send nothing of it, and return the status and body of the answer."""
    address = urlsplit(url)
    head = (
        f"POST /v1/dubs HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {content_length}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=START_TIMEOUT_S) as connection:
        connection.sendall(head.encode())
        with closing(HTTPResponse(connection, method="POST")) as answer:
            answer.begin()
            assert answer.getheader("connection") == "close"
            return answer.status, answer.read()


@dataclass
class FakeOwner:
    """Takes jobs and drives the store as the session owner does; waits for `go` in the middle of each."""

    broker: Broker
    dubs: DubStore
    media: MediaStore
    result: bytes = b"0123456789"
    fails_with: tuple[str, str] | None = None
    go: threading.Event = field(default_factory=threading.Event)
    jobs: list[DubJob] = field(default_factory=list)
    settled: list[uuid.UUID] = field(default_factory=list)

    def __enter__(self) -> "FakeOwner":
        self.broker.declare(QueueSpec(topology.JOBS))
        self._subscription = self.broker.consume(topology.JOBS, self._handle)
        return self

    def __exit__(self, *_error: object) -> None:
        self.go.set()
        self._subscription.close()

    def _handle(self, delivery: Delivery) -> None:
        job = decode_as(DubJob, delivery.body)
        self.jobs.append(job)
        if self.dubs.claim_running(job.dub_id, "fake") is not None:
            self._dub(job)
        delivery.ack()
        self.settled.append(job.dub_id)

    def _dub(self, job: DubJob) -> None:
        for stage, fraction in (("stt", 0.5), ("stt", 1.0), ("speech", 0.4), ("faces", 0.7)):
            self.dubs.progress(job.dub_id, stage, fraction, f"{stage} at {fraction:.0%}")
        assert self.go.wait(START_TIMEOUT_S)
        if self.fails_with is not None:
            self.dubs.fail(job.dub_id, *self.fails_with)
            return
        if not self.dubs.progress(job.dub_id, "lips", 1.0):
            self.media.delete(job.dub_id)
            return
        self._store(job)
        self.dubs.succeed(job.dub_id, {"rtf": 0.5})

    def _store(self, job: DubJob) -> None:
        target = job.target_language
        artefacts = {
            Artefact.RESULT.value: self.result,
            Artefact.SUBTITLES_VTT.in_language(target): VTT,
            Artefact.SUBTITLES_SRT.in_language(target): SRT,
            Artefact.SUBTITLES_VTT.in_language("en"): SOURCE_VTT,
            Artefact.SEGMENTS.value: SEGMENTS,
            Artefact.REPORT.value: REPORT,
        }
        for name, content in artefacts.items():
            self.media.put_bytes(job.dub_id, name, content)
