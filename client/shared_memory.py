"""Regions of system shared memory that Triton has mapped, kept and reused between calls."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from client.errors import EngineError, EngineFault, EngineRefused, SharedMemoryRefused

PREFIX = "polylip-frames-"
"""Of our regions' names, which are also the files' names below /dev/shm."""

_SHM = Path("/dev/shm")  # noqa: S108 - where Linux keeps POSIX shared memory, not a scratch folder
_SMALLEST_BYTES = 1024 * 1024
_KEPT = 8
"""Idle regions kept at most: one for each thread that calls with pictures at the same time."""


@dataclass(frozen=True)
class RegionCalls:
    """What Triton must do for us; errors are those of client/errors.py."""

    register: Callable[[str, int], None]
    """Map the shared memory of this name and size."""
    unregister: Callable[[str], None]
    registered: Callable[[], dict[str, str]]
    """Regions that Triton has mapped: name -> key."""


class Region:
    """One registered region."""

    def __init__(self, byte_size: int) -> None:
        """Create the memory and claim its pages. Raises SharedMemoryRefused when /dev/shm has no room."""
        self.name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        self.byte_size = byte_size
        try:
            self._memory = SharedMemory(self.name, create=True, size=byte_size)
        except OSError as error:
            raise SharedMemoryRefused("triton", f"no shared memory of {byte_size} bytes: {error}") from error
        try:
            # Without this a full /dev/shm shows itself as SIGBUS, in the middle of a copy.
            with (_SHM / self.name).open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, byte_size)
        except OSError as error:
            self.destroy()
            raise SharedMemoryRefused("triton", f"no shared memory of {byte_size} bytes: {error}") from error

    def write(self, offset: int, array: NDArray[Any]) -> None:
        """Copy an array in."""
        self._view(offset, array.shape, array.dtype)[...] = array

    def read(self, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Copy an array out."""
        return self._view(offset, shape, dtype).copy()

    def destroy(self) -> None:
        """Unmap and remove the memory here; Triton keeps its own mapping until it unregisters the region."""
        self._memory.close()
        with suppress(FileNotFoundError):
            self._memory.unlink()

    def _view(self, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.ndarray(shape, dtype, buffer=self._memory.buf, offset=offset)


class RegionPool:
    """Lends registered regions. Thread-safe: a region has one borrower at a time."""

    def __init__(self, calls: RegionCalls) -> None:
        self._calls = calls
        self._lock = Lock()
        self._idle: list[Region] = []
        self._abandoned: set[str] = set()
        self._swept = False
        self._closed = False

    @contextmanager
    def lend(self, byte_size: int) -> Iterator[Region]:
        """Lend a region of at least this size.

        After an error the region is given up, not reused: Triton may still be writing into it when a deadline passes.

        Raises:
            SharedMemoryRefused: Triton cannot map it, or there is no room.
        """
        self._unregister_abandoned()
        region = self._idle_region(byte_size) or self._new_region(byte_size)
        try:
            yield region
        except BaseException:
            self._discard(region)
            raise
        self._take_back(region)

    def discard_idle(self) -> None:
        """Give up all idle regions: Triton was restarted and knows none of them."""
        with self._lock:
            idle, self._idle = self._idle, []
        for region in idle:
            self._discard(region)

    def close(self) -> None:
        """Give up all regions; those still lent follow when they come back."""
        self._closed = True
        self.discard_idle()
        self._unregister_abandoned()

    def _idle_region(self, byte_size: int) -> Region | None:
        with self._lock:
            fitting = [region for region in self._idle if region.byte_size >= byte_size]
            if not fitting:
                return None
            region = min(fitting, key=lambda region: region.byte_size)
            self._idle.remove(region)
            return region

    def _new_region(self, byte_size: int) -> Region:
        self._sweep_once()
        region = Region(max(_SMALLEST_BYTES, 1 << (byte_size - 1).bit_length()))
        try:
            self._calls.register(region.name, region.byte_size)
        except (EngineFault, EngineRefused) as error:
            region.destroy()
            raise SharedMemoryRefused(error.model, error.detail) from error
        except BaseException:
            region.destroy()
            raise
        return region

    def _take_back(self, region: Region) -> None:
        with self._lock:
            self._idle.append(region)
            surplus = self._idle if self._closed else self._idle[:-_KEPT]
            self._idle = self._idle[len(surplus) :]
        for old in surplus:
            self._discard(old)

    def _discard(self, region: Region) -> None:
        """Remove the memory here at once. Triton lets go of its mapping when no request uses it any more."""
        region.destroy()
        with self._lock:
            self._abandoned.add(region.name)
        self._unregister_abandoned()

    def _unregister_abandoned(self) -> None:
        """Unmap at Triton what is not needed; what a request there still uses, or a Triton that is away, later."""
        with self._lock:
            names, self._abandoned = self._abandoned, set()
        remaining = set(names)
        try:
            for name in names:
                with suppress(SharedMemoryRefused):  # in use
                    self._calls.unregister(name)
                    remaining.discard(name)
        except EngineError:  # away: the next names would only wait for it as well
            pass
        finally:
            with self._lock:
                self._abandoned |= remaining

    def _sweep_once(self) -> None:
        """Let Triton unmap what killed processes of ours have left: their memory is gone from /dev/shm."""
        with self._lock:
            swept, self._swept = self._swept, True
        if swept:
            return
        with suppress(EngineError):  # tidiness must not fail the call
            for name, key in self._calls.registered().items():
                if name.startswith(PREFIX) and not (_SHM / key.lstrip("/")).exists():
                    self._calls.unregister(name)
