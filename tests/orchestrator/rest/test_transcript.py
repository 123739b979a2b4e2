"""A transcript that is given with the clip: kept whole, or refused with the number of its line and nothing kept."""

import httpx
import pytest

from orchestrator.messages import DubJob, decode_as
from orchestrator.queues import topology
from orchestrator.store.artefacts import Artefact
from orchestrator.subtitles.srt import MAX_BYTES
from tests.fakes.gateway import post_clip, running_gateway
from tests.fakes.triton_admin import EMBEDDED_PARAMETERS, FakeTritonAdmin
from tests.waiting import eventually

GOOD = b"1\n00:00:00,100 --> 00:00:00,900\nHello there.\n"
"""The gateway's clip has one second."""


def test_it_is_stored_with_the_dub_byte_for_byte_and_erased_with_it(gateway):
    answer = post_clip(gateway.url, transcript=GOOD)
    assert answer.status_code == 202
    dub_id = answer.json()["id"]
    with gateway.media.open(dub_id, Artefact.TRANSCRIPT) as stored:
        assert stored.read() == GOOD
    httpx.delete(answer.json()["links"]["self"])
    assert gateway.leftovers() == []


@pytest.mark.parametrize(
    ("transcript", "line", "word"),
    [
        (GOOD + b"\n2\n00:00:00,800 --> 00:00:00,950\nToo soon.\n", 6, "overlaps"),
        (GOOD.replace(b"00:00:00,900", b"00:00:05,000"), 2, "beyond the clip"),
        (GOOD.replace(b"-->", b"to"), 2, "expected times"),
        (GOOD.replace(b"Hello", b"\xff\xfe"), 3, "UTF-8"),
        (b"\n", 1, "no cue"),
        (GOOD.replace(b"Hello there.", b"<i></i>"), 1, "can be spoken"),
        (b"<!doctype html>", 1, "number of a cue"),
    ],
)
def test_what_cannot_be_dubbed_is_refused_with_its_line_and_nothing_is_kept(gateway, transcript, line, word):
    answer = post_clip(gateway.url, transcript=transcript)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["line"]) == (422, "transcript-refused", line)
    assert problem["detail"].startswith(f"line {line}: ")
    assert word in problem["detail"]
    assert (gateway.leftovers(), gateway.dubs.active(), gateway.jobs_waiting()) == ([], 0, 0)


def test_a_transcript_of_more_bytes_than_any_has_is_cut_off(gateway):
    answer = post_clip(gateway.url, transcript=b"x" * (MAX_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "transcript-too-large")
    assert gateway.leftovers() == []


def test_it_may_be_as_large_as_is_allowed(gateway):
    answer = post_clip(gateway.url, transcript=GOOD + b"\n" * (MAX_BYTES - len(GOOD)))
    assert answer.status_code == 202


def test_a_form_in_which_no_file_was_chosen_has_none(gateway):
    answer = post_clip(gateway.url, transcript=b"")
    assert answer.status_code == 202
    assert not gateway.media.exists(answer.json()["id"], Artefact.TRANSCRIPT)


def test_a_key_stands_for_one_transcript(gateway):
    headers = {"Idempotency-Key": "k"}
    first = post_clip(gateway.url, transcript=GOOD, headers=headers)
    assert post_clip(gateway.url, transcript=GOOD, headers=headers).json() == first.json()
    for other in (None, GOOD + b"\n"):
        assert post_clip(gateway.url, transcript=other, headers=headers).status_code == 409


def test_no_recogniser_is_needed_and_its_languages_do_not_count(tmp_path):
    models = {name: values for name, values in EMBEDDED_PARAMETERS.items() if name != "stt_pocketsphinx"}
    models["mt_apertium"] = {"language_pairs": "ca-es"}
    with running_gateway(tmp_path, triton=FakeTritonAdmin(models)) as gateway:
        assert post_clip(gateway.url, source_language="ca").status_code == 503
        assert post_clip(gateway.url, source_language="ca", transcript=GOOD).status_code == 202
        deliveries = []
        gateway.broker.consume(topology.JOBS, lambda d: (deliveries.append(d.body), d.ack()))
        eventually(lambda: deliveries)
        assert decode_as(DubJob, deliveries[0]).source_language == "ca"
