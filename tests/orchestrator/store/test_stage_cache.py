import uuid

import pytest

from orchestrator.session.recall import Heard
from orchestrator.store.media import MediaStore
from orchestrator.store.stage_cache import DIGEST_BYTES, MediaCache, NoCache, cache_key, read_as

KEY = cache_key("stt", "a", 1)


@pytest.fixture(params=["file", "memory"])
def media(request, tmp_path):
    return MediaStore(f"file://{tmp_path}/media" if request.param == "file" else f"memory://{uuid.uuid4()}")


@pytest.fixture
def dub_id():
    return uuid.uuid4()


def test_a_key_follows_from_the_stage_and_every_fact_and_from_nothing_else():
    assert cache_key("mt", "a", {"x": "1", "y": "2"}) == cache_key("mt", "a", {"y": "2", "x": "1"})
    different = {cache_key("mt", "a", "b"), cache_key("tts", "a", "b"), cache_key("mt", "ab", ""), cache_key("mt", "a")}
    assert len(different) == 4


def test_what_was_kept_is_there_for_another_process(media, dub_id):
    MediaCache(media, dub_id, 1000).put(KEY, b"value")
    assert MediaCache(media, dub_id, 0).get(KEY) == b"value"
    assert MediaCache(media, dub_id, 0).get(cache_key("other")) is None
    assert media.names(dub_id) == []


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * DIGEST_BYTES, b"y" * 100])
def test_what_is_damaged_is_not_there(media, dub_id, damage):
    cache = MediaCache(media, dub_id, 1000)
    cache.put(KEY, b"value")
    media.put_bytes(dub_id, f"cache/{KEY}", damage)
    assert cache.get(KEY) is None
    cache.put(KEY, b"again")
    assert cache.get(KEY) == b"again"


def test_no_more_is_kept_than_is_allowed_whoever_kept_it(media, dub_id):
    first = MediaCache(media, dub_id, 250)
    first.put(KEY, bytes(150))
    first.put(cache_key("b"), bytes(150))
    assert first.get(cache_key("b")) is None
    second = MediaCache(media, dub_id, 250)
    second.put(cache_key("c"), bytes(150))
    assert second.get(cache_key("c")) is None
    second.put(cache_key("d"), b"small")
    assert second.get(cache_key("d")) == b"small"


def test_it_is_erased_with_the_dub(media, dub_id):
    cache = MediaCache(media, dub_id, 1000)
    cache.put(KEY, b"value")
    media.delete(dub_id)
    assert cache.get(KEY) is None
    assert media.cache_bytes(dub_id) == 0


def test_a_store_that_is_full_costs_nothing_but_the_memory(tmp_path, dub_id):
    media = MediaStore(f"file://{tmp_path}/media")
    (tmp_path / "media" / str(dub_id)).write_text("a file where the folder should be")
    cache = MediaCache(media, dub_id, 1000)
    cache.put(KEY, b"value")
    assert cache.get(KEY) is None


def test_what_another_release_has_kept_is_not_there():
    assert read_as(Heard, b"\x81\xa1a\x01") is None
    assert read_as(Heard, b"no message pack") is None
    assert read_as(Heard, None) is None


def test_without_a_store_nothing_is_kept():
    cache = NoCache()
    cache.put(KEY, b"value")
    assert cache.get(KEY) is None
