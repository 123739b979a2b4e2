import json
import threading

import pytest

from client.errors import EngineRefused, EngineUnavailable
from orchestrator.media.probe import probe
from orchestrator.messages import DubJob, encode
from orchestrator.queues import topology
from orchestrator.session.owner import Owner
from orchestrator.settings import Settings
from orchestrator.store.artefacts import Artefact
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from orchestrator.store.rows import clip_facts
from orchestrator.store.states import DubState
from tests.fakes.dubs import new_dub
from tests.fakes.engines import FakeMt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import Burst, make_clip
from tests.waiting import eventually


class Rig:
    """An owner with its store, its media and its pipeline, and a clip to dub."""

    def __init__(self, tmp_path, pipeline):
        self.pipeline = pipeline
        self.broker = pipeline.broker
        self.dubs = DubStore(f"sqlite:///{tmp_path}/dubs.db")
        self.media = MediaStore(f"file://{tmp_path}/media")
        self.clip = make_clip(tmp_path / "clip.mp4", duration_s=3.0, size=(96, 96), bursts=[Burst(0.5, 1.6)])
        self.owner = Owner(pipeline.settings, self.broker, pipeline.engines, self.dubs, self.media)
        self.owner.start()

    def submit(self, with_clip=True, face="", transcript=None):
        dub = self.dubs.create(new_dub(clip=clip_facts(probe(self.clip, self.pipeline.settings.media))))
        if with_clip:
            self.media.put_file(dub.id, Artefact.CLIP, self.clip)
        if transcript is not None:
            self.media.put_bytes(dub.id, Artefact.TRANSCRIPT, transcript)
        self.publish(dub.id, face)
        return dub.id

    def publish(self, dub_id, face=""):
        job = DubJob(dub_id=dub_id, source_language="en", target_language="es", face=face)
        self.broker.publish(topology.JOBS, encode(job))

    def wait(self, dub_id, state):
        eventually(lambda: self.dubs.get(dub_id).state is state)
        return self.dubs.get(dub_id)

    def close(self):
        self.owner.stop()
        self.dubs.close()


@pytest.fixture
def make_rig(tmp_path):
    rigs, stacks = [], []

    def make(engines=None, pin=False):
        settings = Settings()
        settings = settings.model_copy(
            update={
                "models": settings.models.model_copy(update={"pin": pin}),
                "broker": settings.broker.model_copy(update={"retry_delay_s": 0.01}),
                "session": settings.session.model_copy(update={"work_dir": tmp_path / "work"}),
            }
        )
        stack = fake_pipeline(settings, engines)
        rig = Rig(tmp_path, stack.__enter__())
        rigs.append(rig)
        stacks.append(stack)
        return rig

    yield make
    for rig, stack in zip(rigs, stacks, strict=True):
        rig.close()
        stack.__exit__(None, None, None)
    assert not list((tmp_path / "work").iterdir()), "a session left its scratch folder behind"


def test_a_job_becomes_artefacts_and_progress(make_rig):
    rig = make_rig()
    dub_id = rig.submit()
    dub = rig.wait(dub_id, DubState.SUCCEEDED)
    assert dub.summary["outcome"] == "dubbed"
    assert rig.media.names(dub_id) == [
        "clip", "report.json", "result.mp4", "segments.json",
        "subtitles.en.srt", "subtitles.en.vtt", "subtitles.es.srt", "subtitles.es.vtt",
    ]  # fmt: skip
    stages = {event.stage for event in rig.dubs.events.after(dub_id, 0, 1000) if event.stage}
    assert {"segment", "stt", "speech", "faces", "lips"} <= stages


def test_a_transcript_that_came_with_the_clip_is_dubbed_without_listening(make_rig):
    rig = make_rig()
    srt = b"1\n00:00:00,500 --> 00:00:01,000\nGood\n\n2\n00:00:01,000 --> 00:00:02,000\nmorning.\n"
    dub_id = rig.submit(transcript=srt)
    rig.wait(dub_id, DubState.SUCCEEDED)
    assert rig.pipeline.engines.stt_engine.calls == []
    with rig.media.open(dub_id, Artefact.SEGMENTS) as segments:
        (segment,) = json.loads(segments.read())["segments"]
    assert (segment["source_text"], segment["start_ms"], segment["end_ms"]) == ("Good morning.", 500, 2000)


def test_a_job_that_comes_twice_is_dubbed_once(make_rig):
    rig = make_rig()
    dub_id = rig.submit()
    rig.wait(dub_id, DubState.SUCCEEDED)
    calls = len(rig.pipeline.engines.stt_engine.calls)
    rig.publish(dub_id)
    eventually(lambda: rig.broker.depth(topology.JOBS) == 0)
    other = rig.submit()
    rig.wait(other, DubState.SUCCEEDED)
    assert len(rig.pipeline.engines.stt_engine.calls) == 2 * calls


def test_an_engine_that_is_away_costs_another_try_of_the_job(make_rig):
    class AwayOnce(FakeEngines):
        def lips(self, model=""):
            if len([task for task, _ in self.asked if task == "lips"]) == 0:
                self.asked.append(("lips", model))
                raise EngineUnavailable("lips", "starting")
            return super().lips(model)

    rig = make_rig(AwayOnce())
    rig.wait(rig.submit(), DubState.SUCCEEDED)


def test_a_stage_that_gives_up_fails_the_dub_with_its_reason(make_rig):
    rig = make_rig(FakeEngines(mt_engine=FakeMt(failures=[EngineRefused("mt", "no such pair")])))
    dub = rig.wait(rig.submit(), DubState.FAILED)
    assert dub.error_code == "stage-failed"
    assert "no such pair" in dub.error_detail


def test_a_clip_that_is_gone_fails_the_dub_after_the_last_try(make_rig):
    rig = make_rig()
    dub = rig.wait(rig.submit(with_clip=False), DubState.FAILED)
    assert dub.error_code == "not-ready"
    eventually(lambda: rig.broker.depth(topology.dead(topology.JOBS)) == 1)


def test_cancelling_stops_the_session_and_erases_its_media(make_rig):
    entered, release = threading.Event(), threading.Event()

    class Slow(FakeMt):
        def translate(self, *arguments, **options):
            entered.set()
            release.wait(30)
            return super().translate(*arguments, **options)

    rig = make_rig(FakeEngines(mt_engine=Slow()))
    dub_id = rig.submit()
    assert entered.wait(30)
    rig.dubs.request_cancel(dub_id)
    release.set()
    eventually(lambda: rig.media.names(dub_id) == [])
    assert rig.dubs.get(dub_id).state is DubState.CANCELLED


def test_a_message_that_is_no_job_is_parked(make_rig):
    rig = make_rig()
    rig.broker.publish(topology.JOBS, b"hello")
    eventually(lambda: rig.broker.depth(topology.dead(topology.JOBS)) == 1)


def test_a_stopped_owner_gives_its_job_back_for_another(make_rig, tmp_path):
    entered, release = threading.Event(), threading.Event()

    class SlowOnce(FakeMt):
        def translate(self, *arguments, **options):
            if not entered.is_set():
                entered.set()
                release.wait(30)
            return super().translate(*arguments, **options)

    rig = make_rig(FakeEngines(mt_engine=SlowOnce()))
    dub_id = rig.submit()
    assert entered.wait(30)
    threading.Timer(0.1, release.set).start()
    rig.owner.stop()
    assert rig.dubs.get(dub_id).state is DubState.RUNNING
    rig.owner = Owner(rig.pipeline.settings, rig.broker, rig.pipeline.engines, rig.dubs, rig.media)
    rig.owner.start()
    rig.wait(dub_id, DubState.SUCCEEDED)


def test_a_face_that_is_never_seen_fails_the_dub_and_names_those_there_are(make_rig):
    rig = make_rig()
    dub = rig.wait(rig.submit(face="7"), DubState.FAILED)
    assert dub.error_code == "face-not-found"
    assert "the face 7 is never in sight; the clip's faces are 1 (0.0" in dub.error_detail
    assert Artefact.RESULT not in rig.media.names(dub.id)


def test_a_pinned_session_calls_every_engine_by_the_version_it_began_with_and_lets_go_at_the_end(make_rig):
    held = []

    class Swapped(FakeMt):
        def translate(self, *arguments, **options):
            held.append(rig.dubs.pins.held("stt_pocketsphinx"))
            return super().translate(*arguments, **options)

    engines = FakeEngines(mt_engine=Swapped())
    engines.versions = {"stt_pocketsphinx": "3", "mt_apertium": "4", "lips_warp": "5"}
    rig = make_rig(engines, pin=True)
    rig.wait(rig.submit(), DubState.SUCCEEDED)
    asked = {model for _, model in engines.asked}
    assert {"stt_pocketsphinx@3", "mt_apertium@4", "lips_warp@5"} <= asked
    assert held[0] == {3}
    eventually(lambda: rig.dubs.pins.held("stt_pocketsphinx") == set())
