from client.contracts import EngineStatus
from orchestrator.rest.offers import missing_engines


def status(name: str, ready: bool, reason: str = "") -> EngineStatus:
    return EngineStatus(name=name, version="1", ready=ready, reason=reason)


def test_an_engine_without_a_version_is_missing_and_says_which_command_makes_one() -> None:
    (missing,) = missing_engines([status("faces_haar", True)], ["faces_haar", "lips_wav2lip"])
    assert missing.model == "lips_wav2lip"
    assert "`polylip models export wav2lip --checkpoint PATH`" in str(missing)


def test_what_triton_says_goes_before_what_we_suppose() -> None:
    (missing,) = missing_engines([status("lips_wav2lip", False, "Protobuf parsing failed")], ["lips_wav2lip"])
    assert str(missing) == "lips_wav2lip: Protobuf parsing failed"


def test_an_engine_may_be_named_with_a_version_that_is_loaded() -> None:
    statuses = [status("lips_wav2lip", True)]
    assert missing_engines(statuses, ["lips_wav2lip@1"]) == []
    (missing,) = missing_engines(statuses, ["lips_wav2lip@2"])
    assert str(missing) == "lips_wav2lip@2: version 2 is not loaded"
