import uuid
from pathlib import Path

import pytest

from orchestrator.clock import now_ms
from orchestrator.errors import ArtefactNotReady, StoreUnavailable
from orchestrator.store.artefacts import Artefact
from orchestrator.store.media import MediaStore

DUB = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture(params=["file", "memory"])
def media(request, tmp_path):
    url = f"file://{tmp_path}/media" if request.param == "file" else f"memory://{uuid.uuid4()}"
    return MediaStore(url)


def test_what_is_put_can_be_fetched_opened_and_measured(media, tmp_path):
    local = tmp_path / "local"
    local.write_bytes(b"0123456789")
    media.put_file(DUB, Artefact.RESULT, local)
    media.put_bytes(DUB, Artefact.SUBTITLES_SRT.in_language("es"), b"hola")
    media.fetch(DUB, Artefact.RESULT, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"0123456789"
    with media.open(DUB, Artefact.RESULT) as stream:
        stream.seek(4)
        assert stream.read(3) == b"456"
    assert media.size(DUB, Artefact.RESULT) == 10
    assert media.exists(DUB, "subtitles.es.srt")
    assert media.names(DUB) == ["result.mp4", "subtitles.es.srt"]


def test_putting_again_replaces_and_changes_the_version(media):
    media.put_bytes(DUB, Artefact.REPORT, b"1")
    before = media.version(DUB, Artefact.REPORT)
    assert media.version(DUB, Artefact.REPORT) == before
    media.put_bytes(DUB, Artefact.REPORT, b"22")
    assert media.version(DUB, Artefact.REPORT) != before
    assert media.size(DUB, Artefact.REPORT) == 2


@pytest.mark.parametrize("call", ["open", "size", "version"])
def test_a_missing_artefact_is_not_ready(media, call):
    with pytest.raises(ArtefactNotReady, match=r"report\.json"):
        getattr(media, call)(DUB, Artefact.REPORT)


def test_a_missing_artefact_is_neither_fetched_nor_there(media, tmp_path):
    with pytest.raises(ArtefactNotReady):
        media.fetch(DUB, Artefact.REPORT, tmp_path / "back")
    assert not media.exists(DUB, Artefact.REPORT)
    assert media.names(DUB) == []


def test_deleting_erases_one_dub_and_may_be_repeated(media):
    other = uuid.uuid4()
    for dub_id in (DUB, other):
        media.put_bytes(dub_id, Artefact.CLIP, b"clip")
    media.delete(DUB)
    media.delete(DUB)
    assert media.names(DUB) == []
    assert media.names(other) == ["clip"]


@pytest.mark.parametrize("name", ["../clip", "/etc/passwd", "evil.mp4", "subtitles.../x.srt", ""])
def test_only_artefact_names_are_taken(media, name, tmp_path):
    with pytest.raises(ValueError, match="names no artefact"):
        media.put_bytes(DUB, name, b"x")
    with pytest.raises(ValueError, match="names no artefact"):
        media.open(DUB, name)


def test_only_uuids_name_a_dub(media):
    with pytest.raises(ValueError, match="badly formed"):
        media.put_bytes("../../etc", Artefact.CLIP, b"x")


def test_folders_of_dubs_are_listed_by_their_last_change(media):
    media.put_bytes(DUB, Artefact.CLIP, b"clip")
    assert media.dubs_before(now_ms() - 60_000) == []
    assert media.dubs_before(now_ms() + 60_000) == [DUB]


def test_a_local_put_that_fails_leaves_the_old_artefact_and_no_part(tmp_path):
    media = MediaStore(f"file://{tmp_path}/media")
    media.put_bytes(DUB, Artefact.RESULT, b"old")
    with pytest.raises(FileNotFoundError):
        media.put_file(DUB, Artefact.RESULT, tmp_path / "does not exist")
    with pytest.raises(TypeError):
        media.put_bytes(DUB, Artefact.RESULT, "no bytes")
    folder = tmp_path / "media" / str(DUB)
    assert [path.name for path in folder.iterdir()] == ["result.mp4"]
    assert (folder / "result.mp4").read_bytes() == b"old"


def test_a_relative_local_address_is_resolved_when_the_store_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    media = MediaStore("file://.run/media")
    assert (tmp_path / ".run" / "media").is_dir()
    monkeypatch.chdir("/")
    media.put_bytes(DUB, Artefact.CLIP, b"clip")
    assert (tmp_path / ".run" / "media" / str(DUB) / "clip").read_bytes() == b"clip"


def test_strangers_in_the_media_folder_are_left_alone(tmp_path):
    media = MediaStore(f"file://{tmp_path}/media")
    (tmp_path / "media" / "lost+found").mkdir()
    assert media.dubs_before(10**15) == []


def test_a_store_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "media").write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailable, match="media store"):
        MediaStore(f"file://{tmp_path}/media")


def test_a_folder_that_vanished_comes_back(tmp_path):
    media = MediaStore(f"file://{tmp_path}/media")
    Path(tmp_path / "media").rmdir()
    assert media.dubs_before(10**15) == []
    media.put_bytes(DUB, Artefact.CLIP, b"clip")
    assert media.names(DUB) == ["clip"]
