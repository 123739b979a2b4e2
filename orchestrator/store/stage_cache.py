"""What the stages made of one dub, kept beside its media under names that follow from everything that went in."""

import hashlib
import threading
import uuid
from typing import Any, Protocol

import msgspec
import structlog

from orchestrator.errors import ArtefactNotReady, StoreUnavailable
from orchestrator.store.media import CACHE_FOLDER, MediaStore

log = structlog.get_logger()

DIGEST_BYTES = 32


def cache_key(stage: str, *facts: object) -> str:
    """Return the name of what `stage` makes of `facts` (plain data): a SHA-256, hexadecimal."""
    return hashlib.sha256(msgspec.msgpack.encode((stage, facts), order="deterministic")).hexdigest()


class StageCache(Protocol):
    """Results by key. Neither call fails: what cannot be read is made again, what cannot be kept is not kept."""

    def get(self, key: str) -> bytes | None:
        """Return what was kept under `key`; None when there is nothing, or nothing whole."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`."""
        ...


class NoCache:
    """Keeps nothing: for a clip that is dubbed once and by nobody else."""

    def get(self, key: str) -> bytes | None:
        """Return None."""
        return None

    def put(self, key: str, value: bytes) -> None:
        """Forget it."""


class MediaCache:
    """In the media store, so it is erased with the dub. Each value carries its own SHA-256."""

    def __init__(self, media: MediaStore, dub_id: uuid.UUID, max_bytes: int) -> None:
        """Nothing more is kept once the dub's cache holds about `max_bytes`."""
        self._media = media
        self._dub_id = dub_id
        self._max_bytes = max_bytes
        self._held_bytes: int | None = None
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return what was kept under `key`; None when there is nothing, or nothing whole."""
        try:
            with self._media.open(self._dub_id, f"{CACHE_FOLDER}/{key}") as source:
                content = source.read()
        except ArtefactNotReady:
            return None
        except (StoreUnavailable, OSError) as error:
            log.warning("a kept result cannot be read", reason=str(error))
            return None
        digest, value = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if hashlib.sha256(value).digest() != digest:
            log.warning("a kept result is damaged: it is made again", key=key, bytes=len(content))
            return None
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`, over an earlier one."""
        try:
            with self._lock:
                if self._held_bytes is None:
                    self._held_bytes = self._media.cache_bytes(self._dub_id)
                if self._held_bytes + len(value) > self._max_bytes:
                    return
                self._held_bytes += len(value)
            content = hashlib.sha256(value).digest() + value
            self._media.put_bytes(self._dub_id, f"{CACHE_FOLDER}/{key}", content, durable=False)
        except StoreUnavailable as error:
            log.warning("a result is not kept", reason=str(error))


def read_as(kind: type[Any], value: bytes | None) -> Any:  # noqa: ANN401 (an instance of `kind`)
    """Decode what a cache gave (MessagePack) into the struct `kind`; None for nothing, or for another release's."""
    if value is None:
        return None
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        log.warning("a kept result is of another kind: it is made again", reason=str(error))
        return None
