"""Every number that can be turned, as one typed object read once from the environment (prefix `POLYLIP_`).

Nested fields use two underscores: `POLYLIP_ENGINES__STT=stt_whisper`. A value outside its range stops the start.
A value may lie in a file instead (secrets do): `POLYLIP_BROKER__URL_FILE=/run/secrets/broker_url` (environment.py).
"Paper" in a docstring means the default is the paper's (Table I, Table II or its text).
"""

import tempfile
from pathlib import Path
from typing import Literal

from pydantic import AnyUrl, BaseModel, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orchestrator.environment import EnvironmentWithFiles

MIB = 1024 * 1024


class _Section(BaseModel):
    """A group of settings; docstrings under fields become their descriptions, unknown names are refused."""

    model_config = {"extra": "forbid", "frozen": True, "use_attribute_docstrings": True}


class EngineSettings(_Section):
    """Which Triton model serves which task."""

    stt: str = "stt_pocketsphinx"
    mt: str = "mt_apertium"
    tts: str = "tts_espeak"
    faces: str = "faces_haar"
    lips: str = "lips_warp"
    boundary: str = "sentence_boundary"
    """Tells whole sentences from parts; "": none, punctuation and pauses decide."""

    def names(self) -> list[str]:
        """The models to load, each once, in the order of the tasks."""
        chosen = [self.stt, self.mt, self.tts, self.faces, self.lips, self.boundary]
        return [name for name in dict.fromkeys(chosen) if name]


class TritonSettings(_Section):
    """Where Triton is and how long a call may take (seconds)."""

    grpc_url: str = "127.0.0.1:8001"
    """host:port of Triton's gRPC endpoint."""
    profile: Literal["cpu", "gpu_ort", "gpu_tensorrt"] = "cpu"
    """Which of the repository's configurations a Triton that we start serves (docs/GPU.md): `config.pbtxt`, or
    `configs/<profile>.pbtxt` of the models that have one."""
    stt_timeout_s: float = Field(60.0, gt=0, le=600)
    mt_timeout_s: float = Field(30.0, gt=0, le=600)
    tts_timeout_s: float = Field(120.0, gt=0, le=600)
    """For the whole stream of one sentence."""
    faces_timeout_s: float = Field(60.0, gt=0, le=600)
    lips_timeout_s: float = Field(60.0, gt=0, le=600)
    boundary_timeout_s: float = Field(1.0, gt=0, le=60)
    """An answer takes milliseconds; a sentence does not wait longer for it: punctuation and pauses decide then."""
    frames_transport: Literal["auto", "grpc", "shared_memory"] = "auto"
    """How pictures travel to Triton (client/frames.py); auto: shared memory when grpc_url is a loopback address."""
    control_timeout_s: float = Field(5.0, gt=0, le=120)
    """For health, metadata and config calls."""


class ModelSettings(_Section):
    """Versions of the models that Triton serves (docs/MODELS.md)."""

    repository: Path = Path(__file__).parents[1] / "model_repository"
    """Triton's model repository, as this machine sees it; whoever swaps writes there."""
    load_timeout_s: float = Field(300.0, gt=0, le=3600)
    """How long a version may take to load and warm up."""
    sample_timeout_s: float = Field(60.0, gt=0, le=600)
    """How long it may take to answer its recorded sample."""
    pin: bool = False
    """A session keeps the versions that it began with, for at most drain_s after a swap."""
    drain_s: float = Field(900.0, ge=0, le=24 * 3600)
    """So long after a swap the version before stays loaded while sessions that are pinned to it run."""


class BrokerSettings(_Section):
    """RabbitMQ and the queue policy."""

    url: str = "amqp://guest:guest@127.0.0.1:5672/%2F"
    prefetch: int = Field(2, ge=1, le=100)
    """Messages a consumer holds at once. Paper: 2."""
    attempts: int = Field(3, ge=1, le=10)
    """Tries of a message before it is dead-lettered. Paper: 3."""
    retry_delay_s: float = Field(1.0, gt=0, le=60)
    """Delay before the second try; each further one is `retry_factor` times longer."""
    retry_factor: float = Field(4.0, ge=1, le=10)
    queue_max_bytes: int = Field(256 * MIB, ge=MIB)
    """Ready bytes a queue may hold before it refuses more. Paper: 256 MB."""
    heartbeat_s: int = Field(20, ge=5, le=120)
    publish_timeout_s: float = Field(10.0, gt=0, le=120)
    """How long a publish may wait for the broker's confirm."""
    reply_queue_expires_s: int = Field(300, ge=1)
    """An owner's reply queue that nobody has read for so long is deleted."""
    dead_letter_retention_hours: float = Field(24.0, gt=0, le=24 * 365)
    """Dead letters hold people's speech: like the media, they are erased after this."""

    def retry_delays_s(self) -> tuple[float, ...]:
        """Delays before the second, third, … try: one for each retry queue."""
        return tuple(self.retry_delay_s * self.retry_factor**n for n in range(self.attempts - 1))


class VadSettings(_Section):
    """Voice activity detection (paper, Table I)."""

    min_silence_s: float = Field(0.5, ge=0.1, le=5)
    """A pause of so long ends a chunk. Paper: 0.5 s."""
    threshold_db: float = Field(-35.0, ge=-80, le=-5)
    """Energy below the peak that counts as silence. Paper: -35 dB."""
    min_segment_s: float = Field(1.5, ge=0.1, le=10)
    """A pause does not end a chunk shorter than this; the chunk goes on. Paper: 1.5 s."""
    max_segment_s: float = Field(10.0, ge=1, le=30)
    """A longer chunk is split by force, at its quietest recent frame. Paper: 10 s."""
    frame_ms: int = Field(20, ge=5, le=50)
    """Length of an energy frame."""
    floor_dbfs: float = Field(-60.0, ge=-100, le=-20)
    """Nothing below this level is speech, whatever the peak: keeps noise in a silent clip from becoming speech."""
    noise_margin_db: float = Field(6.0, ge=0, le=20)
    """Speech must also be so far above the room's own noise, when that is less than 35 dB below the peak; 0 = off."""
    padding_s: float = Field(0.1, ge=0, le=0.5)
    """Silence kept before and after the speech of a chunk, for the recogniser."""

    @model_validator(mode="after")
    def _ordered(self) -> "VadSettings":
        if self.min_segment_s >= self.max_segment_s:
            raise ValueError("vad.min_segment_s must be below vad.max_segment_s")
        return self

    @property
    def max_segment_ms(self) -> int:
        """`max_segment_s` in whole milliseconds: also the longest sentence."""
        return round(self.max_segment_s * 1000)


class SyncSettings(_Section):
    """Buffers and clocks (paper, Table II)."""

    timestamp_resolution_ms: int = Field(1, ge=1, le=1)
    """Paper: 1 ms. Records carry whole milliseconds; a coarser clock is not implemented."""
    window_ms: int = Field(50, ge=1, le=500)
    """A sentence that starts further than this from its source is counted in the report. Paper: 50 ms."""
    resync_ms: int = Field(100, ge=1, le=1000)
    """A clip whose sound is further than this from its picture is put right (docs/SOUND.md). Paper: drift of 100 ms
    triggers re-synchronisation."""
    measure_source_s: float = Field(12.0, ge=0, le=120)
    """So much of a clip with a face in it is looked at first, to measure that; 0: never."""
    ring_frames: int = Field(300, ge=2, le=10_000)
    """Decoded frames that wait for their speech; then decoding pauses. Paper: 300."""
    ring_bytes: int = Field(512 * MIB, ge=MIB)
    """The same in bytes, whichever comes first. Paper: 512 MB."""
    audio_buffer_bytes: int = Field(128 * MIB, ge=MIB)
    """Audio in flight between the segmenter and the muxer; then segmenting pauses. Paper: 128 MB."""


class GateSettings(_Section):
    """Sentence gate: which chunks are one sentence (docs/SENTENCES.md)."""

    enabled: bool = True
    """False: every chunk counts as a sentence, as pauses alone cut them."""
    threshold: float = Field(0.85, ge=0, le=1)
    """Score of the boundary engine at which what was heard so far counts as a whole sentence. Paper: 0.85."""
    likely_from: float = Field(0.3, ge=0, le=1)
    """From this score on a text without punctuation is more likely whole than not: a pause of sentence_pause_s settles
    it. Below, the pause must be the longer the lower the score, up to max_pause_s. Less than one half, for the engine
    knows the words alone: that a pause follows makes a whole sentence likelier (the paper: 71 % of such chunks)."""
    sentence_pause_s: float = Field(0.7, ge=0.1, le=10)
    """A pause that is more likely between sentences than within one: ends what is likely whole, and a text without any
    punctuation where the boundary engine cannot be asked."""
    max_pause_s: float = Field(1.5, ge=0.1, le=10)
    """A silence of so long ends a sentence whatever its score: one utterance would be laid over a long hole."""
    max_no_speech_probability: float = Field(0.8, ge=0, le=1)
    """A chunk that the recogniser doubts more than this is no speech: its own sound is kept."""

    @model_validator(mode="after")
    def _ordered(self) -> "GateSettings":
        if self.sentence_pause_s > self.max_pause_s:
            raise ValueError("gate.sentence_pause_s must not be above gate.max_pause_s")
        return self


class TimingSettings(_Section):
    """Fitting the translated speech into its slot; rates are 1 = natural."""

    preferred_max_rate: float = Field(1.2, ge=1, le=2)
    """Hardly heard: tried before the silence after a sentence is used."""
    max_rate: float = Field(1.5, ge=1, le=3)
    max_rate_step: float = Field(1.15, ge=1, le=3)
    """A sentence is at most so many times as fast, or as slow, as its neighbour, as far as it then fits."""
    neighbour_s: float = Field(2.0, ge=0, le=60)
    """After a longer silence a sentence has no neighbour: nobody compares."""
    gap_s: float = Field(0.06, ge=0, le=0.5)
    """Silence kept between two sentences of the dub."""

    @model_validator(mode="after")
    def _ordered(self) -> "TimingSettings":
        if self.preferred_max_rate > self.max_rate:
            raise ValueError("timing.preferred_max_rate must not be above timing.max_rate")
        return self


class SoundSettings(_Section):
    """The sound of the result (docs/SOUND.md)."""

    background: Literal["duck", "off"] = "duck"
    """duck: the source's own sound stays, quieter while somebody speaks; off: only the dub is heard. A request may say
    otherwise."""
    duck_db: float = Field(-18.0, ge=-60, le=0)
    """How much quieter, while the source or the dub speaks."""
    match_loudness: bool = True
    """The dub becomes as loud as the source's speech (EBU R128); False: as loud as the engine spoke it."""
    ceiling_dbtp: float = Field(-2.0, ge=-20, le=-0.5)
    """The mix is limited to this true peak. The encoder adds a little: the result stays below -1 dBTP, which EBU R128
    asks for."""


class VoiceSettings(_Section):
    """The reference of the speaker's voice that a TTS engine which clones voices is given (docs/SOUND.md)."""

    clone: bool = True
    """False: such an engine gets none, and speaks with a voice of its own."""
    enough_s: float = Field(6.0, ge=1, le=30)
    """The reference is complete with so much clear speech."""
    max_s: float = Field(12.0, ge=1, le=30)
    """It is no longer than this."""
    min_s: float = Field(1.0, ge=1, le=30)
    """Of less speech there is no reference."""
    search_s: float = Field(60.0, ge=1, le=3600)
    """So far behind the first speech enough_s is looked for; then what was found must do."""
    clear_db: float = Field(15.0, ge=0, le=60)
    """Speech is clear when it stands so far above what is heard behind it."""
    alike_db: float = Field(5.0, ge=0, le=100)
    """A chunk belongs to the speaker when the shape of its spectrum differs by no more from the first speech's."""
    sentences_in_work: int = Field(16, ge=1, le=1000)
    """Sentences with a reference that a session has in the queues at once: each takes up to 530 kB."""

    @model_validator(mode="after")
    def _ordered(self) -> "VoiceSettings":
        if not self.min_s <= self.enough_s <= self.max_s:
            raise ValueError("voice.min_s, voice.enough_s and voice.max_s must not fall")
        return self


class VisualSettings(_Section):
    """The visual branch."""

    detect_every_frames: int = Field(5, ge=1, le=100)
    """A face is searched in every k-th frame, in more below 20 frames/s; its place is interpolated in between."""
    detector_short_side_px: int | None = Field(None, ge=64, le=2160)
    """Frames are scaled down to this short side for detection (never up). None: what the faces engine states (parameter
    `short_side_px` of its config), 360 if it states nothing."""
    detector_batch: int = Field(4, ge=1, le=64)
    lips_batch: int = Field(8, ge=1, le=128)
    """Crops in one call of the lips engine."""
    min_face_score: float = Field(0.3, ge=0, le=1)
    min_face_px: int = Field(32, ge=8)
    """Faces narrower than this in the source are left alone."""
    track_lost_after_s: float = Field(0.5, ge=0, le=5)
    """A face not seen for so long is lost; its frames pass through."""
    speaker_look_ahead_s: float = Field(1.5, ge=0, le=5)
    """While several faces are in sight, frames wait so long to learn who speaks; 0: the largest face, always."""
    kalman_process_noise: float = Field(4.0, gt=0)
    """Standard deviation of the acceleration, in box widths per second squared: the value at which the boxes of fast
    nods and shakes are nearest to the face (docs/LIPS.md, "Steady boxes")."""
    kalman_measurement_noise: float = Field(0.006, gt=0)
    """Standard deviation of a detection's centre, in box widths, as measured of faces_haar (the same place)."""
    engine_attempts: int = Field(5, ge=1, le=20)
    """Tries of one detector or lips call whose error is retryable."""
    engine_retry_delay_s: float = Field(0.5, gt=0, le=60)
    """Pause before the second try; doubles with each: 7.5 s in all, enough for Triton to load a model again."""


class MediaSettings(_Section):
    """Limits of what is accepted, checked before decoding, and how the result is encoded."""

    max_upload_bytes: int = Field(512 * MIB, ge=1024)
    max_duration_s: float = Field(1800.0, gt=0)
    max_pixels: int = Field(3840 * 2160, ge=64)
    """Width x height of the picture."""
    max_frames_per_s: float = Field(120.0, gt=0)
    max_streams: int = Field(16, ge=2)
    probe_timeout_s: float = Field(20.0, gt=0)
    """Wall clock of the probing child process."""
    probe_memory_bytes: int = Field(1024 * MIB, ge=256 * MIB)
    """Address space of the probing child process."""
    video_crf: int = Field(20, ge=0, le=51)
    """x264 quality of the result."""
    video_preset: str = "veryfast"
    audio_bit_rate: int = Field(128_000, ge=32_000)
    subtitle_tracks: bool = True
    """Put the subtitles into result.mp4 as tracks that a player can switch on, the target language first."""
    output_sample_rate_hz: int = Field(48_000, ge=16_000, le=96_000)


class WorkerSettings(_Section):
    """A stage worker."""

    concurrency: int = Field(1, ge=1, le=64)
    """Messages worked on at once in one process; more let Triton batch them."""
    stop_grace_s: float = Field(25.0, ge=0, le=600)
    """How long a stopping worker lets its engines finish; what is not done then is done by another worker."""


class SessionSettings(_Section):
    """The session owner."""

    concurrency: int = Field(2, ge=1, le=64)
    """Clips that one owner dubs at once."""
    stall_timeout_s: float = Field(180.0, gt=0)
    """A session that waited so long for any stage's answer gives up."""
    cache_max_bytes: int = Field(256 * MIB, ge=0)
    """What the stages made of one dub is kept up to so much, so that nothing is made twice; 0: nothing is. A minute of
    speech takes 3 MB."""
    work_dir: Path = Path(tempfile.gettempdir()) / "polylip"
    """Scratch space; a session removes its folder when it ends."""


class StoreSettings(_Section):
    """Where jobs and media are kept."""

    database_url: str = "sqlite:///.run/polylip.db"
    """Any SQLAlchemy URL."""
    media_url: str = "file://.run/media"
    """Any fsspec URL (file://, s3://, …)."""
    retention_hours: float = Field(24.0, gt=0)
    """Media of finished dubs are erased after this."""


class TelemetrySettings(_Section):
    """What a process tells of itself (docs/OBSERVABILITY.md)."""

    metrics_port: int = Field(0, ge=0, le=65_535)
    """/metrics of a worker or an owner; 0: none. Each process of a machine needs its own; `make serve` counts up from
    it. The gateway has /metrics at its own port."""
    metrics_host: str = "127.0.0.1"
    traces: Literal["off", "file", "otlp"] = "off"
    """Where spans go: into files below trace_dir, or to the collector at otlp_url."""
    trace_dir: Path = Path(".run/traces")
    otlp_url: str = "http://127.0.0.1:4318/v1/traces"
    """OTLP over HTTP."""
    trace_ratio: float = Field(1.0, ge=0, le=1)
    """Share of the traces that begin here that is kept; of a trace that a client began, what the client says."""


class GatewaySettings(_Section):
    """REST gateway."""

    host: str = "127.0.0.1"
    port: int = Field(8600, ge=0, le=65_535)
    public_url: AnyUrl | None = None
    """Base of the links in answers, when a proxy stands in front."""
    max_active_dubs: int = Field(64, ge=1)
    """Dubs queued or running before new ones get 503 with Retry-After."""
    broker_timeout_s: float = Field(5.0, gt=0, le=60)
    """How long the gateway waits to learn whether the broker is there, before it refuses an upload."""
    webhook_secret: str = ""
    """Signs webhooks (Standard Webhooks, HMAC-SHA256); without it no webhook is accepted."""
    webhook_allow_private: bool = False
    """Allow webhooks to loopback and private addresses (tests, closed networks)."""


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="POLYLIP_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    engines: EngineSettings = EngineSettings()
    triton: TritonSettings = TritonSettings()
    models: ModelSettings = ModelSettings()
    broker: BrokerSettings = BrokerSettings()
    vad: VadSettings = VadSettings()
    sync: SyncSettings = SyncSettings()
    gate: GateSettings = GateSettings()
    timing: TimingSettings = TimingSettings()
    sound: SoundSettings = SoundSettings()
    voice: VoiceSettings = VoiceSettings()
    visual: VisualSettings = VisualSettings()
    media: MediaSettings = MediaSettings()
    worker: WorkerSettings = WorkerSettings()
    session: SessionSettings = SessionSettings()
    store: StoreSettings = StoreSettings()
    gateway: GatewaySettings = GatewaySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    log_level: str = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    """auto: console on a terminal, else json."""
    source_language: str = "en"
    """Assumed when a request names none and the STT engine cannot detect."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment with the files that it names; nothing else."""
        return init_settings, EnvironmentWithFiles(settings_cls)
