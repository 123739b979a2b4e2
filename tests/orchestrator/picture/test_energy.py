import numpy as np
import pytest

from orchestrator.picture.energy import QUIETEST_DBFS, STEP_MS, energy_dbfs
from orchestrator.settings import MediaSettings
from tests.media_factory import Burst, make_clip


def test_levels_follow_the_sound_in_steps_of_50_ms(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", duration_s=3.0, bursts=[Burst(1.0, 1.0, 440.0)])
    levels = energy_dbfs(clip, MediaSettings())
    assert len(levels) == 3000 // STEP_MS
    assert levels[:18].max() < -40
    assert levels[22:38] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1.5)
    assert levels.min() >= QUIETEST_DBFS
