"""docs/REST.md says what the code does."""

import base64
import re
import time
from pathlib import Path

import pytest

import client.errors
import orchestrator.errors
from client.errors import PolylipError, RestError
from orchestrator.errors import MetricsPortTaken, SessionCancelled, TraceNotFound
from orchestrator.rest import problems
from orchestrator.rest.app import create_app
from orchestrator.rest.webhooks import RETRY_DELAYS_S, sign
from orchestrator.store.states import DubState
from tests.fakes.gateway import gateway_parts

TEXT = (Path(__file__).parents[3] / "docs" / "REST.md").read_text(encoding="utf-8")

ERRORS = {
    kind.code: kind
    for module in (client.errors, orchestrator.errors)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, PolylipError)
}
FRAMEWORK_CODES = {"method-not-allowed": 405}
NEVER_SHOWN = {
    *(kind.code for kind in ERRORS.values() if issubclass(kind, RestError)),  # the client's own
    MetricsPortTaken.code,  # a process that does not start
    TraceNotFound.code,  # of the command line
    SessionCancelled.code,  # a cancelled dub has a state, not an error
}


def documented():
    """(status or None, code) of every row of both tables of problems."""
    rows = re.findall(r"^\| (?:(\d{3}) \| )?(`[a-z-]+`(?:, `[a-z-]+`)*) \|", TEXT.split("## Problems")[1], re.MULTILINE)
    return [(int(status) if status else None, code) for status, codes in rows for code in re.findall(r"`(.*?)`", codes)]


@pytest.mark.parametrize(("status", "code"), documented())
def test_every_documented_problem_is_one_of_the_code_with_its_status(status, code):
    if code in FRAMEWORK_CODES:
        assert status == FRAMEWORK_CODES[code]
    elif status is not None:
        assert problems.status_of(ERRORS[code]) == status
    else:
        assert code in ERRORS


def test_every_problem_of_the_code_is_documented_once():
    codes = [code for _, code in documented()]
    assert len(codes) == len(set(codes))
    assert set(codes) == (set(ERRORS) | set(FRAMEWORK_CODES)) - NEVER_SHOWN


def test_every_state_is_documented():
    table = TEXT.split("## Look at a dub")[1].split("## Follow it")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [state.value for state in DubState]


def test_every_call_has_an_example(tmp_path):
    parts = gateway_parts(tmp_path)
    app = create_app(
        parts.settings, broker=parts.broker, dubs=parts.dubs, media=parts.media, triton=parts.triton, probe=parts.probe
    )
    curls = "\n".join(re.findall(r"^curl.*$", TEXT, re.MULTILINE)) + "/metrics"
    examples = {"{dub_id}": "$ID", "{number}": "1", "{name}": "lips_wav2lip", "{version}": "2"}
    for path in app.openapi()["paths"]:
        for parameter, example in examples.items():
            path = path.replace(parameter, example)
        assert path in curls
    parts.dubs.close()
    parts.broker.close()


def test_the_documented_retries_are_the_real_ones():
    assert "after 5 s, 1 min, 5 min, 30 min, 2 h, 5 h and\n10 h" in TEXT
    assert RETRY_DELAYS_S == (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600)


@pytest.mark.parametrize("secret", ["plain text", "whsec_" + base64.b64encode(b"012345678901").decode()])
def test_the_documented_verification_accepts_what_we_sign_and_nothing_else(secret):
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], names)  # our own example
    verify = names["verify"]

    def headers(at_s):
        signature = sign(secret, "msg_1", at_s, b"{}")
        return {"webhook-id": "msg_1", "webhook-timestamp": str(at_s), "webhook-signature": signature}

    now_s = int(time.time())
    assert verify(secret, headers(now_s), b"{}")
    assert not verify(secret, headers(now_s), b"{ }")
    assert not verify(secret + "x" * 4, headers(now_s), b"{}")
    assert not verify(secret, headers(now_s - 1000), b"{}")
