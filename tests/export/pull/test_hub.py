"""The hub's API."""

import pytest

from export.pull.addresses import HubSource
from export.pull.errors import AccessDenied, SourceBroken, SourceMissing, SourceRefused
from export.pull.hub import Hub
from export.pull.patience import Patience
from tests.fakes.hub import PAGE, FakeRepository, Fault, git_hash

NAME = "someone/model"


@pytest.fixture
def pauses_s() -> list[float]:
    return []


@pytest.fixture
def asked(hub, transport, pauses_s) -> Hub:
    return Hub(transport, Patience(pauses_s.append))


def test_a_revision_becomes_a_commit_with_its_licence(hub, asked):
    hub.repositories[NAME] = repository = FakeRepository({"a": b"1"}, card={"license": "cc-by-4.0"})
    found = asked.repository(HubSource(NAME))
    assert (found.commit, found.licence) == (repository.commit, "cc-by-4.0")


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ({}, ""),
        ({"license": "other", "license_name": "coqui-public-model-license"}, "coqui-public-model-license"),
        ({"license": "other"}, "other"),
        ({"license": ["mit", "apache-2.0"]}, "mit or apache-2.0"),
        ({"license": "mit\x1b[2J\n"}, "mit[2J"),  # nothing that would steer a terminal
    ],
)
def test_the_cards_licence_is_read_in_all_its_spellings(hub, asked, card, licence):
    hub.repositories[NAME] = FakeRepository({"a": b"1"}, card=card)
    assert asked.repository(HubSource(NAME)).licence == licence


def test_all_pages_of_the_list_are_read_with_sizes_and_hashes(hub, asked):
    files = {f"folder/{number}.txt": b"x" * number for number in range(2 * PAGE + 1)} | {".gitattributes": b"lfs"}
    hub.repositories[NAME] = repository = FakeRepository(files)
    listed = asked.files(NAME, repository.commit)
    assert sorted(listed) == sorted(path for path in files if path != ".gitattributes")
    two = listed["folder/2.txt"]
    assert (two.size_bytes, str(two.digests[0])) == (2, f"git {git_hash(b'xx')}")


def test_a_large_file_has_the_hash_of_its_content_not_of_its_pointer(hub, asked):
    hub.repositories[NAME] = repository = FakeRepository({"w.bin": b"x" * 2000})
    (digest,) = asked.files(NAME, repository.commit)["w.bin"].digests
    assert digest.kind == "sha256"


def test_a_name_that_leads_out_of_the_folder_is_refused(hub, asked):
    hub.repositories[NAME] = repository = FakeRepository({"../../x": b"1"})
    with pytest.raises(SourceRefused, match="no name that is written here"):
        asked.files(NAME, repository.commit)


def test_a_list_that_goes_on_at_another_host_is_not_followed(hub, asked, monkeypatch):
    hub.repositories[NAME] = repository = FakeRepository({str(number): b"" for number in range(PAGE + 1)})
    inner, hub.url = hub.url, "http://evil.test"  # what the fake writes into its links
    with pytest.raises(SourceBroken, match=r"another host, evil\.test"):
        asked.files(NAME, repository.commit)
    hub.url = inner


def test_a_repository_that_is_not_there_or_not_ours_is_told(hub, asked):
    with pytest.raises(AccessDenied, match="no such repository, or it is private"):
        asked.repository(HubSource(NAME))


def test_a_revision_that_is_not_there_is_told(hub, asked):
    hub.repositories[NAME] = FakeRepository({"a": b"1"})
    with pytest.raises(SourceMissing, match="no such revision"):
        asked.repository(HubSource(NAME, "v2"))


@pytest.mark.parametrize("text", ["<html>", "[1]", '{"sha": "main"}', '{"id": 1}'])
def test_an_answer_that_is_no_answer_is_told(hub, asked, text):
    hub.repositories[NAME] = FakeRepository({"a": b"1"})
    hub.plain["/x"] = text.encode()
    hub.faults["/main"] = Fault("location", text=f"{hub.url}/x")
    with pytest.raises(SourceBroken):
        asked.repository(HubSource(NAME))


def test_a_hub_that_is_busy_is_asked_again_when_it_says(hub, asked, pauses_s):
    hub.repositories[NAME] = repository = FakeRepository({"a": b"1"})
    hub.faults["/main"] = Fault("status", number=429, text='{"Retry-After": "20"}')
    assert asked.repository(HubSource(NAME)).commit == repository.commit
    assert pauses_s == [20]
