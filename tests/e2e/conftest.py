"""The whole stack as separate processes, once for all tests of this folder, and talking clips made from the sample."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from client.rest import PolylipClient
from deploy.processes import free_ports, port_is_free
from deploy.stack import Stack
from deploy.stack.services import COMMANDS
from orchestrator.media.audio import read_audio
from orchestrator.media.probe import probe
from orchestrator.settings import GatewaySettings, MediaSettings, Settings, TelemetrySettings
from tests.media_factory import make_clip

SAMPLES = Path(__file__).parents[2] / "samples"
RATE_HZ = 16_000
SENTENCE_S = (0.3, 2.8)
"""Where the sample says its first sentence, with silence around it."""


@pytest.fixture(scope="session")
def metrics_port() -> int:
    """The first of as many free ports in a row as the stack has processes."""
    for first in free_ports(64):
        if all(port_is_free(first + n) for n in range(len(COMMANDS))):
            return first
    raise AssertionError("no free ports in a row")


@pytest.fixture(scope="session")
def trace_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack's processes record their spans."""
    return tmp_path_factory.mktemp("traces")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, metrics_port: int, trace_dir: Path) -> Iterator[Stack]:
    """A running stack; `up` again gives its addresses and restarts what a test has killed."""
    telemetry = TelemetrySettings(metrics_port=metrics_port, traces="file", trace_dir=trace_dir)
    settings = Settings(gateway=GatewaySettings(port=0), telemetry=telemetry)
    running = Stack(tmp_path_factory.mktemp("stack"), settings)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture
def gateway(stack: Stack) -> Iterator[PolylipClient]:
    with PolylipClient(stack.up().gateway_url) as client:
        yield client


@pytest.fixture(scope="session")
def sentence() -> np.ndarray:
    """One English sentence that the recogniser knows, 2.5 s, mono 16 kHz."""
    sample = SAMPLES / "astronaut_en.mp4"
    sound = np.concatenate(list(read_audio(sample, probe(sample, MediaSettings()), RATE_HZ)))
    start, end = (round(at * RATE_HZ) for at in SENTENCE_S)
    return sound[start:end]


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """RGB [256, 256, 3]."""
    picture = cv2.cvtColor(cv2.imread(str(SAMPLES / "astronaut.png")), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture
def talking_clip(tmp_path: Path, sentence: np.ndarray, portrait: np.ndarray) -> Callable[..., Path]:
    """Make a clip of the sentence, spoken by the portrait or by what `picture` shows; the rest as in make_clip."""

    def make(name: str = "clip.mp4", picture: np.ndarray = portrait, sample_rate: int = RATE_HZ, **options) -> Path:
        positions = np.arange(round(len(sentence) * sample_rate / RATE_HZ)) * RATE_HZ / sample_rate
        spoken = np.interp(positions, np.arange(len(sentence)), sentence).astype(np.float32)
        return make_clip(
            tmp_path / name,
            **{
                "duration_s": len(sentence) / RATE_HZ,
                "size": (picture.shape[1], picture.shape[0]),
                "pictures": lambda index, time_s: picture,
                "samples": spoken,
                "sample_rate": sample_rate,
                **options,
            },
        )

    return make


@pytest.fixture
def spoken_clip(talking_clip: Callable[..., Path], say: Callable[[str], np.ndarray]) -> Callable[..., Path]:
    """Make a clip of texts spoken one after the other, and silences of so many seconds between them."""

    def make(*parts: str | float) -> Path:
        sounds = [_trimmed(say(part)) if isinstance(part, str) else _silence(part) for part in parts]
        spoken = np.concatenate([_silence(0.6), *sounds, _silence(0.6)])
        return talking_clip(samples=spoken, duration_s=len(spoken) / RATE_HZ)

    return make


def _silence(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * RATE_HZ), np.float32)


def _trimmed(sound: np.ndarray) -> np.ndarray:
    """Cut off the silence that flite puts around its speech."""
    loud = np.flatnonzero(np.abs(sound) > 0.006)
    return sound[loud[0] : loud[-1] + 1]
