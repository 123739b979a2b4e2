import threading

import pytest

from client.errors import EngineRefused, EngineTimeout, EngineUnavailable
from orchestrator.settings import VisualSettings
from orchestrator.visual.retry import EngineRetry

QUICK = VisualSettings(engine_attempts=4, engine_retry_delay_s=0.001)


class Flaky:
    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_an_engine_that_comes_back_is_asked_again():
    flaky = Flaky(EngineUnavailable("faces", "away"), EngineTimeout("faces", "slow"))
    assert EngineRetry(QUICK).call(flaky) == "answer"
    assert flaky.calls == 3


def test_the_last_error_is_raised_when_the_tries_are_used_up():
    flaky = Flaky(*[EngineTimeout("faces", f"try {n}") for n in range(1, 9)])
    with pytest.raises(EngineTimeout, match="try 4"):
        EngineRetry(QUICK).call(flaky)


@pytest.mark.parametrize("error", [EngineRefused("faces", "no"), KeyError("ours")])
def test_an_error_that_stays_is_raised_at_once(error):
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        EngineRetry(QUICK).call(flaky)
    assert flaky.calls == 1


def test_cancelling_ends_the_pause_and_the_tries():
    cancelled = threading.Event()
    patient = EngineRetry(VisualSettings(engine_attempts=20, engine_retry_delay_s=60), cancelled)
    flaky = Flaky(*[EngineUnavailable("faces", "away")] * 20)
    threading.Timer(0.05, cancelled.set).start()
    with pytest.raises(EngineUnavailable):
        patient.call(flaky)
    assert flaky.calls <= 2
