"""One file, by every misfortune on its way."""

import errno
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.pull.download import Downloader
from export.pull.errors import (
    DownloadCutOff,
    HashMismatch,
    NotStored,
    RateLimited,
    SourceBroken,
    SourceUnreachable,
)
from export.pull.files import Digest, RemoteFile
from export.pull.patience import Patience
from export.pull.transport import Transport
from tests.fakes.hub import FakeRepository, Fault, running_hub

CONTENT = bytes(range(256)) * 40  # large enough for the CDN
REPOSITORY = "someone/model"
HASH = Digest("sha256", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def file(hub) -> RemoteFile:
    hub.repositories[REPOSITORY] = repository = FakeRepository({"w.bin": CONTENT})
    url = f"{hub.url}/{REPOSITORY}/resolve/{repository.commit}/w.bin"
    return RemoteFile("w.bin", url, len(CONTENT), (HASH,), repository.commit)


@pytest.fixture
def plain(hub) -> RemoteFile:
    """A file of which nothing is known before."""
    hub.plain["/w.bin"] = CONTENT
    return RemoteFile("w.bin", f"{hub.url}/w.bin", None)


@pytest.fixture
def pauses_s() -> list[float]:
    return []


@pytest.fixture
def downloader(transport, pauses_s) -> Downloader:
    return Downloader(transport, Patience(pauses_s.append))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ranges(hub, host="cdn") -> list[str | None]:
    return [each.headers.get("Range") for each in hub.requests(host, "w.bin")]


def test_a_file_comes_over_the_redirect_and_nothing_else_is_left(hub, downloader, file, tmp_path):
    told = []
    seen = downloader.fetch(file, tmp_path / "w.bin", lambda here, whole: told.append((here, whole)))
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert seen.sha256 == HASH.value
    assert left_in(tmp_path) == ["w.bin"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_the_hubs_own_host_alone_gets_the_token(hub, downloader, file, tmp_path):
    downloader.fetch(file, tmp_path / "w.bin")
    assert [each.headers.get("Authorization") for each in hub.requests("hub")] == ["Bearer hf_secret"]
    assert [each.headers.get("Authorization") for each in hub.requests("cdn")] == [None]


def test_what_is_here_already_is_checked_and_not_asked_for_again(hub, downloader, file, tmp_path):
    (tmp_path / "w.bin").write_bytes(CONTENT)
    downloader.fetch(file, tmp_path / "w.bin")
    assert hub.seen == []


def test_what_is_here_and_damaged_is_fetched_anew(downloader, file, tmp_path):
    (tmp_path / "w.bin").write_bytes(b"x" + CONTENT[1:])
    downloader.fetch(file, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_a_body_that_ends_early_goes_on_where_it_ended_if_it_is_still_the_same(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("cut", number=4000)
    downloader.fetch(file, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert ranges(hub) == [None, "bytes=4000-"]
    assert hub.requests("cdn")[1].headers["If-Range"] == hub.etag_of_cdn


def test_a_later_pull_goes_on_with_what_an_earlier_one_left(hub, transport, file, tmp_path):
    hub.faults["w.bin"] = Fault("cut", number=100, times=99)

    def give_up(pause_s):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(transport, Patience(give_up)).fetch(file, tmp_path / "w.bin")
    assert left_in(tmp_path) == ["w.bin.partial", "w.bin.partial.json"]
    hub.faults.clear()
    Downloader(transport, Patience()).fetch(file, tmp_path / "w.bin")
    assert left_in(tmp_path) == ["w.bin"]
    assert ranges(hub) == [None, "bytes=100-"]


def test_a_file_that_changed_between_two_tries_starts_anew(hub, transport, plain, tmp_path):
    other = CONTENT[::-1]

    def change(pause_s):
        hub.plain["/w.bin"] = other

    hub.faults["w.bin"] = Fault("cut", number=4000)
    Downloader(transport, Patience(change)).fetch(plain, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == other
    assert ranges(hub, "hub") == [None, "bytes=4000-"]


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("cut", number=4000)
    hub.faults["/w.bin"] = Fault("no-range")
    downloader.fetch(file, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_parts_of_two_versions_are_found_out_by_the_hash_and_fetched_once_more(hub, downloader, file, tmp_path):
    (tmp_path / "w.bin.partial").write_bytes(b"x" * 4000)  # nobody knows of which version
    downloader.fetch(file, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert ranges(hub) == ["bytes=4000-", None]


def test_all_bytes_left_by_an_interrupted_pull_need_no_request(hub, downloader, file, tmp_path):
    (tmp_path / "w.bin.partial").write_bytes(CONTENT)
    downloader.fetch(file, tmp_path / "w.bin")
    assert hub.seen == []
    assert left_in(tmp_path) == ["w.bin"]


def test_without_length_and_hash_a_rest_that_is_complete_is_recognised(hub, downloader, plain, tmp_path):
    hub.faults["w.bin"] = Fault("cut", number=len(CONTENT) - 1)
    downloader.fetch(plain, tmp_path / "first")
    (tmp_path / "w.bin.partial").write_bytes(CONTENT)
    downloader.fetch(replace(plain, digests=(HASH,)), tmp_path / "w.bin")
    assert ranges(hub, "hub")[-1] == f"bytes={len(CONTENT)}-"
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_a_rest_without_a_name_of_its_version_is_not_gone_on_with_when_no_hash_is_known(
    hub, downloader, plain, tmp_path
):
    (tmp_path / "w.bin.partial").write_bytes(b"x" * 4000)
    downloader.fetch(plain, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert ranges(hub, "hub") == [None]


def test_another_byte_is_found_out_deleted_and_told(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("flip", times=9)
    with pytest.raises(HashMismatch, match=f"sha256 {HASH.value} expected, [0-9a-f]{{64}} came; it was deleted"):
        downloader.fetch(file, tmp_path / "w.bin")
    assert left_in(tmp_path) == []


def test_another_small_file_is_found_out_by_its_git_hash(hub, downloader, tmp_path):
    hub.repositories[REPOSITORY] = repository = FakeRepository({"c.json": b"{}"})
    (entry,) = repository.tree(repository.commit)
    url = f"{hub.url}/{REPOSITORY}/resolve/{repository.commit}/c.json"
    file = RemoteFile("c.json", url, 2, (Digest("git", entry["oid"]),), repository.commit)
    hub.faults["c.json"] = Fault("flip", times=9)
    with pytest.raises(HashMismatch, match="git "):
        downloader.fetch(file, tmp_path / "c.json")
    hub.faults.clear()
    downloader.fetch(file, tmp_path / "c.json")
    assert (tmp_path / "c.json").read_bytes() == b"{}"


def test_a_hub_that_announces_another_hash_is_refused_before_the_body_comes(hub, downloader, file, tmp_path):
    other = Digest("sha256", "0" * 64)
    with pytest.raises(HashMismatch, match="now offers"):
        downloader.fetch(replace(file, digests=(other,)), tmp_path / "w.bin")
    assert hub.requests("cdn") == [] or left_in(tmp_path) == []


def test_a_hub_that_sends_another_commit_is_refused(downloader, file, tmp_path):
    with pytest.raises(SourceBroken, match="asked for commit"):
        downloader.fetch(replace(file, commit="0" * 40), tmp_path / "w.bin")


def test_more_bytes_than_were_published_are_not_written_to_the_end(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("endless", number=5_000_000, times=9)
    with pytest.raises(HashMismatch, match="longer than the 10240 bytes"):
        downloader.fetch(file, tmp_path / "w.bin")
    assert left_in(tmp_path) == []


def test_a_wrong_range_is_refused(hub, transport, tmp_path):
    import httpx

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(206, headers={"Content-Range": "bytes 3-9/10"}, content=b"3456789")

    (tmp_path / "w.bin.partial").write_bytes(b"01")
    file = RemoteFile("w.bin", f"{hub.url}/w.bin", 10, (HASH,))
    with pytest.raises(SourceBroken, match="the bytes from 2 on"):
        Downloader(Transport(hub.url, http=httpx.MockTransport(answer)), Patience()).fetch(file, tmp_path / "w.bin")


def test_a_server_that_fails_is_asked_again_with_longer_and_longer_pauses(hub, downloader, file, tmp_path, pauses_s):
    hub.faults["w.bin"] = Fault("status", number=503, times=3)
    downloader.fetch(file, tmp_path / "w.bin")
    assert pauses_s == [1, 2, 4]


def test_a_server_that_goes_on_failing_ends_the_pull(hub, downloader, file, tmp_path, pauses_s):
    hub.faults["w.bin"] = Fault("status", number=502, times=99)
    with pytest.raises(SourceUnreachable, match=r"fails \(502\)"):
        downloader.fetch(file, tmp_path / "w.bin")
    assert len(pauses_s) == 4
    assert left_in(tmp_path) == []


def test_progress_between_two_failures_starts_the_count_anew(hub, downloader, file, tmp_path, pauses_s):
    hub.faults["w.bin"] = Fault("cut", number=500, times=15)
    downloader.fetch(file, tmp_path / "w.bin")
    assert pauses_s == [1] * 15


def test_a_source_that_asks_for_patience_gets_it(hub, downloader, file, tmp_path, pauses_s):
    hub.faults["w.bin"] = Fault("status", number=429, text='{"Retry-After": "7"}')
    downloader.fetch(file, tmp_path / "w.bin")
    assert pauses_s == [7]


def test_a_source_that_asks_for_too_much_patience_ends_the_pull_with_the_time(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("status", number=429, text='{"Retry-After": "3600"}')
    with pytest.raises(RateLimited, match="come back in 3600 s") as caught:
        downloader.fetch(file, tmp_path / "w.bin")
    assert caught.value.retryable


def test_nobody_at_the_address_is_told(transport, downloader, file, tmp_path, hub):
    gone = RemoteFile("w.bin", "http://127.0.0.1:9/w.bin", None)
    with pytest.raises(SourceUnreachable, match=r"127\.0\.0\.1:9 cannot be reached"):
        downloader.fetch(gone, tmp_path / "w.bin")


def test_a_connection_that_closes_without_an_answer_is_a_cut_off(hub, downloader, file, tmp_path):
    hub.faults["w.bin"] = Fault("silent", times=99)
    with pytest.raises(DownloadCutOff, match="ended the connection early"):
        downloader.fetch(file, tmp_path / "w.bin")


def test_a_disk_that_fills_up_is_told_and_the_room_given_back(downloader, file, tmp_path, monkeypatch):
    def full(answer, start):
        (tmp_path / "w.bin.partial").write_bytes(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("export.pull.download._Download._receive", lambda self, answer, start: full(answer, start))
    with pytest.raises(NotStored, match="the disk is full"):
        downloader.fetch(file, tmp_path / "w.bin")
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told(downloader, file, tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(NotStored, match="cannot be written"):
        downloader.fetch(file, tmp_path / "folder" / "w.bin")


@pytest.fixture(scope="module")
def steady_hub():
    with running_hub() as hub:
        hub.plain["/w.bin"] = CONTENT
        yield hub


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(CONTENT)), max_size=4), st.booleans())
def test_however_often_it_is_cut_off_the_file_is_the_file(steady_hub, tmp_path_factory, cuts, knows_hash):
    folder = tmp_path_factory.mktemp("cuts")
    left = iter(cuts)

    def next_cut(pause_s=0.0):
        number = next(left, None)
        steady_hub.faults = {} if number is None else {"w.bin": Fault("cut", number=number)}

    next_cut()
    transport = Transport(steady_hub.url)
    file = RemoteFile("w.bin", f"{steady_hub.url}/w.bin", None, (HASH,) if knows_hash else ())
    Downloader(transport, Patience(next_cut)).fetch(file, folder / "w.bin")
    transport.close()
    assert (folder / "w.bin").read_bytes() == CONTENT
    assert left_in(folder) == ["w.bin"]
