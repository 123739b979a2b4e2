import threading

import numpy as np
import pytest

from orchestrator.errors import SessionCancelled
from orchestrator.settings import Settings, SyncSettings
from orchestrator.visual.offset_pass import OffsetVerdict, measure_source_sync
from tests.fakes.engines import FakeFaces, no_face
from tests.offset_cases import measured, rendered
from tests.visual_factory import make_clip_info, source


@pytest.fixture(scope="module")
def clip():
    return rendered(4001)


@pytest.mark.parametrize("late_ms", [-400, -300, -200, -150, 150, 200, 300, 400])
def test_sound_that_is_late_or_early_is_put_right_to_a_frame(clip, late_ms):
    found = measured(clip, late_ms / 1000)
    assert found.verdict is OffsetVerdict.CORRECTED
    assert found.corrected_s * 1000 == pytest.approx(late_ms, abs=40)


@pytest.mark.parametrize("late_ms", [-40, 0, 40])
def test_sound_that_is_in_sync_is_left_alone(clip, late_ms):
    found = measured(clip, late_ms / 1000)
    assert found.verdict is OffsetVerdict.IN_SYNC
    assert found.corrected_s == 0


def test_sound_of_somebody_else_is_left_alone(clip):
    foreign = rendered(4003).scene.sound
    assert measured(clip, sound=foreign).corrected_s == 0


def test_silence_is_unknown(clip):
    found = measured(clip, sound=np.zeros_like(clip.scene.sound))
    assert (found.verdict, found.found, found.corrected_s) == (OffsetVerdict.UNKNOWN, None, 0)


def measure_plain(faces, settings, stop=None, frames=100, on_progress=lambda: None):
    clip = make_clip_info(duration_s=frames / 25, frame_count=frames)
    sound = iter([np.zeros(16_000, np.float32)])
    return measure_source_sync(source(frames), sound, clip, faces, settings, stop or threading.Event(), on_progress)


def test_without_a_face_nothing_is_known_and_the_search_ends():
    found = measure_plain(FakeFaces(look=no_face), Settings(sync=SyncSettings(measure_source_s=1)))
    assert (found.verdict, found.watched_s) == (OffsetVerdict.UNKNOWN, 0)


def test_it_can_be_turned_off():
    faces = FakeFaces()
    assert measure_plain(faces, Settings(sync=SyncSettings(measure_source_s=0))).verdict is OffsetVerdict.OFF
    assert faces.calls == []


def test_a_session_that_is_stopped_does_not_look_on():
    stop = threading.Event()
    with pytest.raises(SessionCancelled):
        measure_plain(FakeFaces(), Settings(), stop, on_progress=stop.set)
