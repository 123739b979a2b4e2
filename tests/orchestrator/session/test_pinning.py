import uuid

import pytest

from orchestrator.session.pinning import held, pinned_engines
from orchestrator.settings import EngineSettings

SESSION = uuid.UUID(int=1)


class Pins:
    def __init__(self):
        self.held = {}

    def take(self, session_id, versions):
        self.held[session_id] = dict(versions)

    def release(self, session_id):
        del self.held[session_id]


class Served:
    def served_versions(self):
        return {"stt_pocketsphinx": "1", "mt_apertium": "9 10", "lips_wav2lip": "3", "tts_espeak": "1"}


@pytest.fixture
def pins():
    return Pins()


def engines(pins, **wanted):
    return pinned_engines(SESSION, wanted, EngineSettings(boundary=""), Served(), pins)


def test_every_engine_is_named_with_the_version_that_serves_when_the_session_begins(pins):
    with engines(pins, lips="lips_wav2lip") as chosen:
        assert chosen == {
            "stt": "stt_pocketsphinx@1",
            "mt": "mt_apertium@10",
            "tts": "tts_espeak@1",
            "faces": "faces_haar",  # it is not loaded: its first call says so
            "lips": "lips_wav2lip@3",
        }
        assert pins.held[SESSION] == {"stt_pocketsphinx": 1, "mt_apertium": 10, "tts_espeak": 1, "lips_wav2lip": 3}


def test_a_version_that_the_request_names_is_kept(pins):
    with engines(pins, mt="mt_apertium@9") as chosen:
        assert chosen["mt"] == "mt_apertium@9"
        assert pins.held[SESSION]["mt_apertium"] == 9


def test_a_session_that_fails_lets_go_too(pins):
    with pytest.raises(ValueError, match="it failed"), engines(pins):
        raise ValueError("it failed")
    assert pins.held == {}


def test_without_the_setting_only_what_the_request_names_is_held(pins):
    with held(SESSION, {"lips": "lips_wav2lip@3", "stt": "stt_whisper"}, pins) as chosen:
        assert chosen == {"lips": "lips_wav2lip@3", "stt": "stt_whisper"}
        assert pins.held[SESSION] == {"lips_wav2lip": 3}
    with held(SESSION, {"stt": "stt_whisper"}, pins):
        assert pins.held == {}
