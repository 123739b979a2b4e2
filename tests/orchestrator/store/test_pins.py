import uuid

import pytest

from orchestrator.store.dubs import DubStore

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def pins(tmp_path):
    store = DubStore(f"sqlite:///{tmp_path}/polylip.db")
    yield store.pins
    store.close()


def test_versions_are_held_until_the_last_session_lets_go(pins):
    pins.take(ONE, {"stt": 1, "lips": 4})
    pins.take(OTHER, {"stt": 2})
    assert (pins.held("stt"), pins.held("lips"), pins.held("mt")) == ({1, 2}, {4}, set())
    pins.release(ONE)
    assert (pins.held("stt"), pins.held("lips")) == ({2}, set())


def test_a_session_that_begins_anew_holds_what_it_took_last(pins):
    pins.take(ONE, {"stt": 1, "lips": 4})
    pins.take(ONE, {"stt": 2})
    assert (pins.held("stt"), pins.held("lips")) == ({2}, set())
    pins.take(ONE, {})
    assert pins.held("stt") == set()


def test_letting_go_of_nothing_is_harmless(pins):
    pins.release(ONE)
