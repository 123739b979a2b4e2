"""From a family's name to a checkpoint that is here."""

import fcntl
import hashlib
import json
from pathlib import Path

import pytest

from export.errors import UnknownName
from export.pull import catalogue
from export.pull.addresses import HubSource, UrlSource
from export.pull.catalogue import CATALOGUE, Entry, Pin
from export.pull.errors import (
    AccessDenied,
    HashMismatch,
    LicenceNotAccepted,
    NotStored,
    PullBusy,
    PullError,
    SourceChanged,
    SourceMissing,
    SourceRefused,
    SourceUnreachable,
)
from export.pull.record import write_record
from export.pull.transport import Transport
from tests.export.pull.conftest import Puller
from tests.fakes.hub import FakeRepository, Fault

WEIGHTS = b"weights" * 1000
FOLDER_FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": WEIGHTS, "README.md": b"# It"}
NAME = "openai/whisper-base"


@pytest.fixture
def whisper(hub) -> FakeRepository:
    hub.repositories[NAME] = FakeRepository(dict(FOLDER_FILES))
    return hub.repositories[NAME]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_folder_is_pulled_by_the_familys_name_alone(hub, whisper, puller):
    pulled = puller("whisper")
    assert pulled.checkpoint.name == "whisper-base"
    assert {path.name: path.read_bytes() for path in pulled.checkpoint.iterdir()} == {
        name: content for name, content in FOLDER_FILES.items() if name != "README.md"
    }
    assert pulled.commit == whisper.commit
    assert [licence.identifier for licence in puller.screen.licences] == ["MIT"]
    assert puller.screen.bytes_of["model.safetensors"] == (len(WEIGHTS), len(WEIGHTS))


def test_a_second_pull_checks_the_files_and_downloads_nothing(hub, whisper, puller):
    first = puller("whisper")
    hub.seen.clear()
    assert puller("whisper") == first
    assert hub.requests("cdn") == []
    assert all("/resolve/" not in each.path for each in hub.seen)


def test_a_damaged_file_of_an_earlier_pull_is_replaced(whisper, puller):
    weights = puller("whisper").checkpoint / "model.safetensors"
    weights.write_bytes(b"rot" + weights.read_bytes()[3:])
    puller("whisper")
    assert weights.read_bytes() == WEIGHTS


def test_a_later_pull_stays_with_the_commit_of_the_first_until_it_is_told_otherwise(hub, whisper, puller):
    first = puller("whisper")
    whisper.change("model.safetensors", WEIGHTS[::-1])
    again = puller("whisper")
    assert again.commit == first.commit
    assert any("is newer (--update)" in line for line in puller.screen.lines)
    updated = puller("whisper", update=True)
    assert updated.commit == whisper.commit != first.commit
    assert (updated.checkpoint / "model.safetensors").read_bytes() == WEIGHTS[::-1]
    assert puller("whisper").commit == whisper.commit


def test_a_hub_that_says_other_things_of_the_same_commit_is_refused(hub, whisper, puller):
    commit = puller("whisper").commit
    whisper.history[commit]["model.safetensors"] = WEIGHTS[::-1]
    with pytest.raises(SourceChanged, match="another file than at the pull of"):
        puller("whisper")


def test_a_small_file_that_was_exchanged_together_with_its_hash_is_found_out_too(hub, whisper, puller):
    pulled = puller("whisper")
    whisper.history[pulled.commit]["config.json"] = b'{"a": 1}'
    with pytest.raises(HashMismatch, match=r"config\.json is not the file that was published: sha256"):
        puller("whisper")


def test_a_file_that_comes_changed_over_the_wire_is_refused_and_nothing_is_pinned(hub, whisper, puller):
    hub.faults["model.safetensors"] = Fault("flip", times=9)
    with pytest.raises(HashMismatch):
        puller("whisper")
    assert puller.files() == ["config.json", "tokenizer.json"]


def test_an_interrupted_pull_is_gone_on_with(hub, whisper, puller):
    hub.faults["model.safetensors"] = Fault("cut", number=3000)
    assert (puller("whisper").checkpoint / "model.safetensors").read_bytes() == WEIGHTS
    assert [each.headers.get("Range") for each in hub.requests("cdn")] == [None, "bytes=3000-"]


def test_a_file_that_the_family_needs_and_the_repository_lacks_is_told_before_anything_comes(hub, puller):
    hub.repositories[NAME] = FakeRepository({"model.safetensors": WEIGHTS})
    with pytest.raises(SourceMissing, match=r"no config\.json"):
        puller("whisper")
    assert puller.files() == []


def test_weights_in_shards_come_with_their_index(hub, puller):
    shards = {f"model-0000{number}-of-00002.safetensors": bytes([number]) * 2000 for number in (1, 2)}
    index = json.dumps({"weight_map": {"a": min(shards), "b": max(shards)}}).encode()
    files = {"config.json": b"{}", "model.safetensors.index.json": index, **shards}
    hub.repositories[NAME] = FakeRepository({**files, "model.fp32-00001-of-00002.safetensors": b"not these"})
    pulled = puller("whisper")
    assert {path.name: path.read_bytes() for path in pulled.checkpoint.iterdir()} == files


def test_a_hub_that_fails_for_a_moment_is_asked_again_and_the_user_told(hub, whisper, puller):
    hub.faults["/main"] = Fault("status", number=503)
    assert puller("whisper").commit == whisper.commit
    assert puller.pauses_s == [1]
    assert puller.screen.lines == [f"{hub.url.removeprefix('http://')} fails (503); once more in 1 s"]


def test_a_gated_repository_wants_a_token_that_was_let_in(hub, whisper, puller):
    whisper.gated = True
    assert puller("whisper").files
    other = Puller(puller.folder.with_name("other"), Transport(hub.url, "hf_of_somebody_else"))
    with pytest.raises(AccessDenied, match="accept the terms on the repository's page"):
        other("whisper")
    assert other.files() == []
    other.transport.close()


@pytest.mark.parametrize("family", ["wav2lip", "xtts"])
def test_non_commercial_weights_are_refused_before_anybody_is_asked(hub, puller, family):
    with pytest.raises(LicenceNotAccepted, match="commercial"):
        puller(family)
    assert hub.seen == []
    assert not puller.folder.exists()


def test_a_card_that_says_more_than_the_authors_is_believed_and_shown(hub, whisper, puller):
    whisper.card = {"license": "cc-by-nc-4.0"}
    with pytest.raises(LicenceNotAccepted, match="Attribution-NonCommercial"):
        puller("whisper")
    assert puller("whisper", accept_licence=True).licence.identifier == "CC-BY-NC-4.0"


def test_somebody_elses_repository_without_a_licence_must_be_accepted(hub, puller):
    hub.repositories["me/whisper-mine"] = FakeRepository(dict(FOLDER_FILES), card={})
    source = HubSource("me/whisper-mine")
    with pytest.raises(LicenceNotAccepted, match="nobody stated a licence"):
        puller("whisper", source=source)
    assert puller("whisper", source=source, accept_licence=True).licence.commercial_use is None


# ---- one file, mirrors, pins ------------------------------------------------------------------------------------


@pytest.fixture
def tiny(hub, monkeypatch) -> str:
    """A family of one file on two mirrors, whose hash is known; returns the path in both."""
    sources = (HubSource("first/mirror", file="w/tiny.pth"), UrlSource(f"{hub.url}/second/tiny.pth"))
    entry = Entry({"one": (sources, Pin(len(WEIGHTS), sha256(WEIGHTS)))}, "one", "BSD-3-Clause", None)
    monkeypatch.setitem(CATALOGUE, "tiny", entry)
    hub.repositories["first/mirror"] = FakeRepository({"w/tiny.pth": WEIGHTS})
    return "w/tiny.pth"


def test_a_single_file_is_what_the_exporter_gets(tiny, puller):
    pulled = puller("tiny")
    assert pulled.checkpoint.read_bytes() == WEIGHTS
    assert pulled.checkpoint.name == "tiny.pth"


@pytest.mark.parametrize("trouble", ["gone", "tampered", "down", "busy"])
def test_where_the_first_mirror_fails_the_second_is_asked(hub, tiny, puller, trouble):
    hub.plain["/second/tiny.pth"] = WEIGHTS
    if trouble == "gone":
        del hub.repositories["first/mirror"]
    elif trouble == "tampered":  # a whole, self-consistent repository of something else
        hub.repositories["first/mirror"] = FakeRepository({"w/tiny.pth": WEIGHTS[::-1]})
    else:
        status, headers = (503, "{}") if trouble == "down" else (429, '{"Retry-After": "900"}')
        tree = "tree/" + hub.repositories["first/mirror"].commit
        hub.faults[tree] = Fault("status", number=status, text=headers, times=99)
    assert puller("tiny").source == f"{hub.url}/second/tiny.pth"
    assert any("asking the next mirror" in line for line in puller.screen.lines)


def test_when_all_mirrors_fail_all_reasons_are_told(hub, tiny, puller):
    del hub.repositories["first/mirror"]
    with pytest.raises(SourceMissing, match=r"no such repository.*; .*second/tiny.pth is not there"):
        puller("tiny")


def test_when_the_last_mirror_is_only_busy_a_later_try_may_help(hub, tiny, puller):
    del hub.repositories["first/mirror"]
    hub.faults["second/tiny.pth"] = Fault("status", number=429, text='{"Retry-After": "900"}', times=99)
    with pytest.raises(SourceUnreachable, match=r"no such repository.*come back in 900 s"):
        puller("tiny")


def test_the_same_file_from_somewhere_else_is_held_against_the_published_hash(hub, tiny, puller):
    hub.plain["/mine.pth"] = WEIGHTS[::-1]
    mine = UrlSource(f"{hub.url}/mine.pth")
    with pytest.raises(HashMismatch, match="was deleted"):
        puller("tiny", source=mine, variant="one", accept_licence=True)
    hub.plain["/mine.pth"] = WEIGHTS
    assert puller("tiny", source=mine, variant="one", accept_licence=True).checkpoint.name == "mine.pth"


def test_an_address_of_which_nothing_is_known_is_pinned_by_its_first_pull(hub, tiny, puller):
    hub.plain["/mine.pth"] = b"mine"
    wishes = {"source": UrlSource(f"{hub.url}/mine.pth"), "accept_licence": True}
    pulled = puller("tiny", **wishes)
    hub.plain["/mine.pth"] = b"else"
    pulled.checkpoint.unlink()
    with pytest.raises(HashMismatch, match=f"sha256 {sha256(b'mine')} expected"):
        puller("tiny", **wishes)
    assert puller("tiny", **wishes, update=True).checkpoint.read_bytes() == b"else"
    pins = json.loads((puller.folder / "pins.json").read_text())["pins"]
    assert pins[f"{hub.url}/mine.pth"]["files"] == {"mine.pth": sha256(b"else")}


def test_a_hash_that_the_user_knows_is_asked_for(hub, tiny, puller):
    hub.plain["/mine.pth"] = b"mine"
    wishes = {"source": UrlSource(f"{hub.url}/mine.pth"), "accept_licence": True}
    with pytest.raises(HashMismatch):
        puller("tiny", **wishes, sha256="0" * 64)
    assert puller("tiny", **wishes, sha256=sha256(b"mine")).checkpoint.is_file()
    with pytest.raises(PullError, match="64 hexadecimal digits"):
        puller("tiny", **wishes, sha256="mine")


def test_a_hash_of_a_folder_is_refused(whisper, puller):
    with pytest.raises(PullError, match="a folder of several"):
        puller("whisper", sha256="0" * 64)


def test_a_repository_without_the_name_of_a_file_is_refused_for_a_family_of_one_file(tiny, puller):
    with pytest.raises(SourceRefused, match="say which file of it"):
        puller("tiny", source=HubSource("first/mirror"))


def test_a_pickle_is_refused_where_the_repository_has_the_same_as_safetensors(hub, tiny, puller):
    hub.repositories["me/both"] = FakeRepository({"w.pth": WEIGHTS, "w.safetensors": WEIGHTS})
    with pytest.raises(SourceRefused, match=r"w\.safetensors has the same weights"):
        puller("tiny", source=HubSource("me/both", file="w.pth"))
    assert puller("tiny", source=HubSource("me/both", file="w.safetensors")).checkpoint.is_file()


# ---- this machine -----------------------------------------------------------------------------------------------


def test_a_disk_without_room_is_told_before_the_first_byte(hub, whisper, puller, monkeypatch):
    class Usage:
        free = 100 << 10

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(NotStored, match="nothing was downloaded"):
        puller("whisper")
    assert hub.requests("cdn") == []


def test_two_pulls_into_one_folder_do_not_mix(whisper, puller):
    puller.folder.mkdir()
    with (puller.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PullBusy, match="another pull"):
            puller("whisper")
    assert puller("whisper").files


def test_a_lock_file_that_cannot_be_read_is_told_and_not_overwritten(whisper, puller):
    puller.folder.mkdir()
    (puller.folder / "pins.json").write_text("{")
    with pytest.raises(NotStored, match="cannot be compared"):
        puller("whisper")
    assert (puller.folder / "pins.json").read_text() == "{"


def test_a_folder_that_cannot_be_made_is_told(whisper, puller):
    puller.folder.write_text("a file")
    with pytest.raises(NotStored, match="cannot be written"):
        puller("whisper")


def test_no_network_is_told(puller):
    away = Puller(puller.folder, Transport("http://127.0.0.1:9"))
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        away("whisper")
    away.transport.close()


def test_a_versions_record_says_where_it_came_from_and_what_was_accepted(whisper, puller, tmp_path):
    whisper.card = {"license": "cc-by-nc-4.0"}
    pulled = puller("whisper", accept_licence=True)
    write_record(tmp_path, pulled)
    record = json.loads((tmp_path / "pulled.json").read_text())
    assert record["source"] == f"{NAME}@main"
    assert record["commit"] == whisper.commit
    assert record["files"]["model.safetensors"] == {"bytes": len(WEIGHTS), "sha256": sha256(WEIGHTS)}
    assert record["licence"]["identifier"] == "CC-BY-NC-4.0"
    assert record["licence"]["acceptance"] == "given by --accept-licence"


# ---- the catalogue ----------------------------------------------------------------------------------------------


def test_every_published_checkpoint_has_a_source_that_is_well_named_and_a_licence_that_is_known():
    from client.licences import licence_by_identifier
    from export.pull.addresses import parse_source

    for family, entry in CATALOGUE.items():
        assert licence_by_identifier(entry.licence).commercial_use is not None
        for variant in entry.variants:
            for source in catalogue.published(family, variant).sources:
                text = source.url if isinstance(source, UrlSource) else source.repository
                assert parse_source(text, "https://huggingface.co")


def test_every_checkpoint_of_one_file_has_a_known_hash():
    for family, entry in CATALOGUE.items():
        for variant in entry.variants:
            found = catalogue.published(family, variant)
            assert found.wanted.is_folder or found.pin is not None


def test_every_family_that_can_be_exported_can_be_pulled():
    from export.bundle.family import BUNDLES
    from export.family import FAMILIES

    assert {*FAMILIES, *BUNDLES} <= set(CATALOGUE)


def test_any_pair_of_opus_mt_is_a_repository_of_its_own():
    (source,) = catalogue.published("marian", "tc-big-en-cat_oci_spa").sources
    assert source == HubSource("Helsinki-NLP/opus-mt-tc-big-en-cat_oci_spa")


@pytest.mark.parametrize(("family", "variant"), [("marian", "../x-y"), ("whisper", "huge"), ("nobody", None)])
def test_what_is_not_published_is_refused_with_what_is(family, variant):
    with pytest.raises(UnknownName, match="there are"):
        catalogue.published(family, variant)


def test_openais_addresses_carry_the_hash_that_is_pinned():
    found = catalogue.published("whisper", "tiny.pt")
    (source,) = found.sources
    assert isinstance(source, UrlSource)
    assert found.pin is not None and found.pin.sha256 in source.url
    assert Path(source.url).name == "tiny.pt"
