import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from client.errors import EngineFault, EngineUnavailable, SharedMemoryRefused
from client.shared_memory import PREFIX, Region, RegionCalls, RegionPool
from client.triton import TritonConnection, TritonLips
from deploy.triton.embedded import EmbeddedTriton
from tests.client.conftest import REPOSITORY

SHM = Path("/dev/shm")
FACES = np.arange(2 * 64 * 64 * 3, dtype=np.uint8).reshape(2, 64, 64, 3)
MELS = np.zeros((2, 80, 16), np.float32)


class FakeTriton:
    """Keeps the table of regions that Triton keeps; `refuses` and `in_use` as told."""

    def __init__(self) -> None:
        self.mapped: dict[str, str] = {}
        self.refuses: Exception | None = None
        self.in_use: set[str] = set()
        self.registrations = 0

    def pool(self) -> RegionPool:
        return RegionPool(RegionCalls(self.register, self.unregister, lambda: dict(self.mapped)))

    def register(self, name: str, byte_size: int) -> None:
        self.registrations += 1
        if self.refuses:
            raise self.refuses
        assert (SHM / name).stat().st_size >= byte_size
        self.mapped[name] = f"/{name}"

    def unregister(self, name: str) -> None:
        if self.refuses:
            raise self.refuses
        if name in self.in_use:
            raise SharedMemoryRefused("triton", f"Cannot unregister shared memory region '{name}', currently in use.")
        self.mapped.pop(name, None)


def our_files() -> set[str]:
    return {path.name for path in SHM.glob(f"{PREFIX}{os.getpid()}-*")}


@pytest.fixture(autouse=True)
def _nothing_is_left_behind():
    before = our_files()
    yield
    assert our_files() == before


def test_a_region_is_registered_once_and_reused():
    triton = FakeTriton()
    pool = triton.pool()
    for byte_size in (10, 2_000, 1_000_000):
        with pool.lend(byte_size) as region:
            region.write(64, np.arange(10, dtype=np.uint8))
            assert region.read(64, (10,), np.dtype(np.uint8)).tolist() == list(range(10))

    assert triton.registrations == 1
    pool.close()
    assert triton.mapped == {}


def test_a_larger_batch_gets_a_larger_region():
    pool = FakeTriton().pool()
    with pool.lend(10) as small, pool.lend(5_000_000) as large:
        assert small.byte_size == 1024 * 1024
        assert large.byte_size >= 5_000_000
    pool.close()


def test_borrowers_never_share_a_region():
    triton = FakeTriton()
    pool = triton.pool()

    def write_and_read(value: int) -> bool:
        with pool.lend(4_096) as region:
            region.write(0, np.full(4_096, value, np.uint8))
            return bool((region.read(0, (4_096,), np.dtype(np.uint8)) == value).all())

    with ThreadPoolExecutor(8) as executor:
        assert all(executor.map(write_and_read, range(200)))
    pool.close()
    assert triton.mapped == {}


def test_idle_regions_are_bounded():
    triton = FakeTriton()
    pool = triton.pool()
    lent = [pool.lend(10) for _ in range(12)]
    for each in lent:
        each.__enter__()
    for each in lent:
        each.__exit__(None, None, None)

    assert len(triton.mapped) == 8
    pool.close()


def test_a_region_of_a_failed_call_is_given_up_not_reused():
    triton = FakeTriton()
    pool = triton.pool()
    with pytest.raises(EngineUnavailable), pool.lend(10) as region:
        raise EngineUnavailable("lips", "gone")
    with pool.lend(10) as other:
        assert other.name != region.name
    pool.close()


def test_what_a_late_request_still_uses_is_unregistered_later():
    triton = FakeTriton()
    pool = triton.pool()
    with pytest.raises(RuntimeError), pool.lend(10) as region:
        triton.in_use.add(region.name)
        raise RuntimeError("deadline")
    assert region.name in triton.mapped and region.name not in our_files()

    triton.in_use.clear()
    with pool.lend(10):
        assert region.name not in triton.mapped
    pool.close()


@pytest.mark.parametrize("error", [EngineFault("triton", "cannot open"), SharedMemoryRefused("triton", "no")])
def test_a_registration_that_triton_refuses_is_told_as_such(error):
    triton = FakeTriton()
    triton.refuses = error
    pool = triton.pool()
    with pytest.raises(SharedMemoryRefused), pool.lend(10):
        pass
    pool.close()


def test_a_triton_that_is_away_is_not_taken_for_one_that_refuses():
    triton = FakeTriton()
    triton.refuses = EngineUnavailable("triton", "away")
    pool = triton.pool()
    with pytest.raises(EngineUnavailable), pool.lend(10):
        pass
    pool.close()


def test_regions_of_killed_processes_are_swept_and_those_of_others_left():
    triton = FakeTriton()
    neighbour = Region(4_096)
    triton.mapped = {
        f"{PREFIX}1-dead": f"/{PREFIX}1-dead",
        neighbour.name: f"/{neighbour.name}",
        "someone-else": "/someone-else",
    }
    pool = triton.pool()
    with pool.lend(10) as region:
        assert set(triton.mapped) == {neighbour.name, "someone-else", region.name}
    pool.close()
    neighbour.destroy()


def test_no_room_is_refused_before_anything_is_written():
    room = os.statvfs(SHM)
    with pytest.raises(SharedMemoryRefused, match="no shared memory"):
        Region(room.f_frsize * room.f_blocks * 2)


@pytest.mark.triton
def test_pictures_find_a_restarted_triton_again(tmp_path):
    with EmbeddedTriton(["lips_plain"], repository=REPOSITORY, run_dir=tmp_path / "first") as first:
        ports = (first.http_port, first.grpc_port, first.metrics_port)
        connection = TritonConnection(first.grpc_url, control_timeout_s=10)
        lips = TritonLips(connection, "lips_plain", timeout_s=10)
        lips.move(FACES, MELS)
    with pytest.raises(EngineUnavailable):
        lips.move(FACES, MELS)

    with EmbeddedTriton(["lips_plain"], repository=REPOSITORY, run_dir=tmp_path / "second", ports=ports):
        moved = None
        for _ in range(50):  # the channel reconnects within two seconds
            try:
                moved = lips.move(FACES, MELS)
                break
            except EngineUnavailable:
                time.sleep(0.1)
        np.testing.assert_array_equal(moved, 255 - FACES)
        assert lips._shares
        connection.close()


@pytest.fixture
def blind_connection(connection):
    """A connection to a Triton that does not see this machine's memory."""
    blind = FakeTriton()
    blind.refuses = EngineFault("triton", "Unable to open shared memory region: '/x'")
    connection.regions = blind.pool()
    return connection


@pytest.mark.triton
def test_auto_goes_by_grpc_when_triton_does_not_share_the_memory(blind_connection):
    lips = TritonLips(blind_connection, "lips_plain", timeout_s=10, transport="auto")

    np.testing.assert_array_equal(lips.move(FACES, MELS), 255 - FACES)
    assert not lips._shares


@pytest.mark.triton
def test_shared_memory_on_request_is_shared_memory_or_an_error(blind_connection):
    lips = TritonLips(blind_connection, "lips_plain", timeout_s=10, transport="shared_memory")

    with pytest.raises(SharedMemoryRefused):
        lips.move(FACES, MELS)
