"""A gateway that really listens, with a real session owner and real stage workers on fake engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from client.rest import PolylipClient
from orchestrator.media.probe import probe
from orchestrator.session.owner import Owner
from tests.fakes.engines import FakeMt, FakeStt
from tests.fakes.gateway import RunningGateway, gateway_settings, running_gateway
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import Burst, make_clip, one_scene

TEXTS = ("One fish.", "Two <b>fish</b>.", "Red fish.")
TRANSLATIONS = ("Un pez.", "Dos <i>peces</i>.", "Pez rojo.")
_BURSTS = [Burst(0.4, 1.6, 500.0), Burst(2.9, 1.6, 700.0), Burst(5.4, 1.6, 900.0)]


def three_sentences(path: Path) -> Path:
    """A clip in which TEXTS are heard."""
    return make_clip(path, duration_s=7.5, size=(64, 64), fps=5, pictures=one_scene((64, 64)), bursts=_BURSTS)


@dataclass
class Dubbing:
    gateway: RunningGateway
    engines: FakeEngines

    @property
    def url(self) -> str:
        return self.gateway.url

    def calls(self) -> tuple[int, int, int]:
        """How often STT, MT and TTS were asked so far."""
        engines = (self.engines.stt_engine, self.engines.mt_engine, self.engines.tts_engine)
        return tuple(len(engine.calls) for engine in engines)

    def dub(self, clip: Path, **fields) -> str:
        self.engines.stt_engine._texts = list(TEXTS)
        with PolylipClient(self.url) as client:
            done = client.wait(client.create(clip, "es", **fields)["id"])
        assert done["state"] == "succeeded", done["error"]
        return done["id"]


@contextmanager
def dubbing(folder: Path) -> Iterator[Dubbing]:
    """Serve until the block ends."""
    engines = FakeEngines(stt_engine=FakeStt(*TEXTS), mt_engine=FakeMt(dict(zip(TEXTS, TRANSLATIONS, strict=True))))
    settings = gateway_settings(folder)
    with (
        fake_pipeline(settings, engines) as pipeline,
        running_gateway(folder, broker=pipeline.broker, probe=probe) as gateway,
    ):
        owner = Owner(settings, pipeline.broker, engines, gateway.dubs, gateway.media)
        owner.start()
        try:
            yield Dubbing(gateway, engines)
        finally:
            owner.stop()
