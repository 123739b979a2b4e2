"""A sentence is corrected, a taken-over clip goes on: RabbitMQ, workers, owner and Triton are their own processes."""

import json

import pytest

from tests.e2e.conftest import SAMPLES
from tests.e2e.test_killed_processes import kill

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]

SPOKEN = "Mañana volamos a la Luna."


def fetch(gateway, dub_id, artefact, tmp_path):
    return gateway.download(dub_id, artefact, tmp_path / artefact)


def stages(gateway, dub_id, tmp_path):
    found = json.loads(fetch(gateway, dub_id, "report.json", tmp_path).read_text())["stages"]
    return {name: (found[name]["runs"], found[name]["reused"]) for name in ("stt", "mt", "tts")}


def test_one_sentence_is_corrected_and_only_its_speech_is_made_again(gateway, tmp_path):
    done = gateway.wait(gateway.create(SAMPLES / "astronaut_en.mp4", "es", glossary={"journey": "travesía"})["id"])
    assert done["state"] == "succeeded", done["error"]
    dub_id = done["id"]
    before = json.loads(fetch(gateway, dub_id, "segments.json", tmp_path).read_text())["segments"]
    assert "travesía" in before[-1]["text"]
    chunks, sentences = sum(len(segment["chunks"]) for segment in before), len(before)
    assert sentences >= 2
    counted = {"stt": (chunks, 0), "mt": (sentences, 0), "tts": (sentences, 0)}
    assert stages(gateway, dub_id, tmp_path) == counted
    old = fetch(gateway, dub_id, "result.mp4", tmp_path).read_bytes()

    gateway.correct(dub_id, 0, {"translation": SPOKEN})
    render = gateway.render(dub_id)
    assert render["state"] == "succeeded", render["error"]
    after = json.loads(fetch(gateway, dub_id, "segments.json", tmp_path).read_text())["segments"]
    assert [segment["text"] for segment in after] == [SPOKEN, *(segment["text"] for segment in before[1:])]
    others = sentences - 1
    assert stages(gateway, dub_id, tmp_path) == {"stt": (0, chunks), "mt": (0, others), "tts": (1, others)}
    assert SPOKEN in fetch(gateway, dub_id, "subtitles.srt", tmp_path).read_text(encoding="utf-8").replace("\n", " ")
    assert fetch(gateway, dub_id, "result.mp4", tmp_path).read_bytes() != old
    assert gateway.get(dub_id)["revision"] == 2


def test_what_was_heard_before_the_owner_was_killed_is_not_heard_again(stack, gateway, tmp_path):
    dub_id = gateway.create(SAMPLES / "astronaut_en.mp4", "es")["id"]
    for event in gateway.events(dub_id):
        if event.kind == "progress" and event.data["stage"] == "lips" and event.data["progress"] > 0.2:
            break  # the pictures of the first sentence: it was heard
    kill(stack, "owner")
    stack.up()
    done = gateway.wait(dub_id)
    assert done["state"] == "succeeded", done["error"]
    _, reused = stages(gateway, dub_id, tmp_path)["stt"]
    assert reused >= 1
