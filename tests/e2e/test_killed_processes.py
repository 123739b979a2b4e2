"""A process of the stack is killed while a clip is being dubbed: the dub that was promised still comes."""

import os
import re
import signal

import pytest

from deploy.processes import ProcessRecord
from tests.e2e.conftest import SAMPLES

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]


def kill(stack, service):
    """Kill a service and return once it is gone."""
    process = ProcessRecord.of(int(re.search(r"pid (\d+)", stack.status()[service])[1]))
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10)


@pytest.mark.parametrize("victim", ["worker-stt", "worker-tts", "owner", "gateway", "triton"])
def test_a_dub_survives_the_death_of(stack, gateway, victim):
    dub_id = gateway.create(SAMPLES / "astronaut_en.mp4", "es")["id"]
    for event in gateway.events(dub_id):
        if event.kind == "progress":  # the session runs
            break
    kill(stack, victim)
    stack.up()
    done = gateway.wait(dub_id)
    assert done["state"] == "succeeded", done["error"]
    assert done["summary"]["outcome"] == "dubbed"
