"""What a published model.pth may hold beside tensors: the original's settings as objects. Here they become objects
that do nothing, so that the original need not be installed and none of its code runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Settings:
    """Holds what was pickled of an object, and nothing else."""


class ModelSettings(Settings):
    """Of TTS.tts.configs.xtts_config.XttsArgs."""


class SoundSettings(Settings):
    """Of TTS.tts.configs.xtts_config.XttsAudioConfig."""


class DataSettings(Settings):
    """Of TTS.config.shared_configs.BaseDatasetConfig."""


NAMES: tuple[tuple[type[Settings], str], ...] = (
    (Settings, "TTS.tts.configs.xtts_config.XttsConfig"),
    (ModelSettings, "TTS.tts.configs.xtts_config.XttsArgs"),
    (ModelSettings, "TTS.tts.models.xtts.XttsArgs"),
    (SoundSettings, "TTS.tts.configs.xtts_config.XttsAudioConfig"),
    (SoundSettings, "TTS.tts.models.xtts.XttsAudioConfig"),
    (DataSettings, "TTS.config.shared_configs.BaseDatasetConfig"),
)
"""Stand-in, and the name that a pickle has for what it stands in for; the release of XTTS-v2 has two of them."""


@contextmanager
def stand_ins() -> Iterator[None]:
    """Let torch's restricted unpickler make these, and no others, as long as it lasts."""
    with torch.serialization.safe_globals(list(NAMES)):
        yield
