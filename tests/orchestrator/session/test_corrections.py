"""Corrected sentences and taken-over clips: what is there already is not made again, and every stage run is counted."""

import json
import threading
import uuid

import numpy as np
import pytest

from client.errors import EngineRefused, EngineUnavailable
from orchestrator.corrections import Correction
from orchestrator.media.probe import probe
from orchestrator.messages import DubJob, encode
from orchestrator.queues import topology
from orchestrator.session.owner import Owner
from orchestrator.settings import Settings
from orchestrator.store.artefacts import Artefact, in_revision
from orchestrator.store.dubs import DubStore
from orchestrator.store.media import MediaStore
from orchestrator.store.rows import clip_facts
from orchestrator.store.states import DubState
from tests.fakes.dubs import new_dub
from tests.fakes.engines import FakeFaces, FakeMt, FakeStt
from tests.fakes.pipeline import FakeEngines, fake_pipeline
from tests.media_factory import Burst, make_clip, one_scene
from tests.waiting import eventually

TEXTS = ("One fish.", "Two fish.", "Red fish.")
BURSTS = [Burst(0.4, 1.6, 500.0), Burst(2.9, 1.6, 700.0), Burst(5.4, 1.6, 900.0)]
SPANISH = {"One fish.": "Un pez.", "Two fish.": "Dos peces.", "Red fish.": "Pez rojo."}


class Rig:
    """An owner with its stores, and a clip of three sentences."""

    def __init__(self, tmp_path, clip, pipeline):
        self.pipeline, self.engines, self.broker = pipeline, pipeline.engines, pipeline.broker
        self.dubs = DubStore(f"sqlite:///{tmp_path}/dubs.db")
        self.media = MediaStore(f"file://{tmp_path}/media")
        self.clip = clip
        self.owner = self.new_owner()

    def new_owner(self):
        owner = Owner(self.pipeline.settings, self.broker, self.engines, self.dubs, self.media)
        owner.start()
        return owner

    def submit(self, **job):
        dub = self.dubs.create(new_dub(clip=clip_facts(probe(self.clip, self.pipeline.settings.media))))
        self.media.put_file(dub.id, Artefact.CLIP, self.clip)
        self.publish(dub.id, **job)
        return dub.id

    def publish(self, dub_id, **job):
        record = DubJob(dub_id=dub_id, source_language="en", target_language="es", **job)
        self.broker.publish(topology.JOBS, encode(record))

    def dub(self, **job):
        dub_id = self.submit(**job)
        eventually(lambda: self.dubs.get(dub_id).state.final)
        dub = self.dubs.get(dub_id)
        assert dub.state is DubState.SUCCEEDED, dub.error_detail
        return dub_id

    def correct(self, dub_id, sequence, **values):
        segment_id = uuid.UUID(self.segments(dub_id)[sequence]["segment_id"])
        self.dubs.renders.correct(dub_id, segment_id, sequence, lambda before: before.changed(values))

    def ask(self, dub_id, **job):
        render, new = self.dubs.renders.request(dub_id)
        assert new
        self.publish(dub_id, render=render.id, **job)
        return render.id

    def render(self, dub_id, **job):
        render_id = self.ask(dub_id, **job)
        eventually(lambda: self.dubs.renders.get(render_id).state.final)
        return self.dubs.renders.get(render_id)

    def json(self, dub_id, name):
        with self.media.open(dub_id, in_revision(name, self.dubs.get(dub_id).revision)) as source:
            return json.load(source)

    def segments(self, dub_id):
        return self.json(dub_id, "segments.json")["segments"]

    def runs(self, dub_id):
        stages = self.json(dub_id, "report.json")["stages"]
        return {name: (stages[name]["runs"], stages[name]["reused"]) for name in ("stt", "mt", "tts")}

    def calls(self):
        engines = (self.engines.stt_engine, self.engines.mt_engine, self.engines.tts_engine)
        return tuple(len(engine.calls) for engine in engines)

    def close(self):
        self.owner.stop()
        self.dubs.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path, size = tmp_path_factory.mktemp("clip") / "clip.mp4", (64, 64)
    return make_clip(path, duration_s=7.5, size=size, fps=5, pictures=one_scene(size), bursts=BURSTS)


@pytest.fixture
def make_rig(tmp_path, clip):
    rigs, stacks = [], []

    def make(**engines):
        settings = Settings()
        settings = settings.model_copy(
            update={
                "broker": settings.broker.model_copy(update={"retry_delay_s": 0.01}),
                "session": settings.session.model_copy(update={"work_dir": tmp_path / "work"}),
            }
        )
        told = {"stt_engine": FakeStt(*TEXTS), "mt_engine": FakeMt(SPANISH), **engines}
        stack = fake_pipeline(settings, FakeEngines(**told))
        rigs.append(Rig(tmp_path, clip, stack.__enter__()))
        stacks.append(stack)
        return rigs[-1]

    yield make
    for rig, stack in zip(rigs, stacks, strict=True):
        rig.close()
        stack.__exit__(None, None, None)


def test_a_corrected_translation_is_spoken_and_nothing_else_is_done_again(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    assert [segment["text"] for segment in rig.segments(dub_id)] == list(SPANISH.values())
    assert rig.runs(dub_id) == {"stt": (3, 0), "mt": (3, 0), "tts": (3, 0)}
    assert rig.calls() == (3, 3, 3)

    rig.correct(dub_id, 1, translation="Dos pececitos.")
    assert rig.render(dub_id).state is DubState.SUCCEEDED
    assert rig.calls() == (3, 3, 4)
    assert rig.runs(dub_id) == {"stt": (0, 3), "mt": (0, 2), "tts": (1, 2)}
    segments = rig.segments(dub_id)
    assert [segment["text"] for segment in segments] == ["Un pez.", "Dos pececitos.", "Pez rojo."]
    assert [segment.get("corrected", []) for segment in segments] == [[], ["translation"], []]
    assert rig.json(dub_id, "report.json")["revision"] == rig.dubs.get(dub_id).revision == 2
    with rig.media.open(dub_id, "r2.subtitles.es.srt") as subtitles:
        assert "Dos pececitos." in subtitles.read().decode()


def test_a_corrected_source_text_is_translated_anew(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    rig.engines.mt_engine._dictionary["Blue fish."] = "Pez azul."
    rig.correct(dub_id, 1, text="Blue fish.")
    rig.render(dub_id)
    assert rig.runs(dub_id) == {"stt": (0, 3), "mt": (1, 2), "tts": (1, 2)}
    assert rig.segments(dub_id)[1]["source_text"] == "Blue fish."
    assert rig.segments(dub_id)[1]["text"] == "Pez azul."


def test_a_skipped_sentence_keeps_its_sound_and_picture_until_that_is_taken_back(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    rig.correct(dub_id, 1, skip=True)
    rig.render(dub_id)
    segment = rig.segments(dub_id)[1]
    assert (segment["verdict"], segment["text"], segment["corrected"]) == ("skipped", "", ["skip"])
    assert rig.json(dub_id, "report.json")["verdicts"]["skipped"] == 1
    rig.correct(dub_id, 1, skip=None)
    rig.render(dub_id)
    assert rig.segments(dub_id)[1]["text"] == "Dos peces."
    assert rig.calls() == (3, 3, 3)
    assert rig.dubs.get(dub_id).revision == 3


def test_a_clip_of_which_every_sentence_is_skipped_comes_back_unchanged(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    for sequence in range(3):
        rig.correct(dub_id, sequence, skip=True)
    rig.render(dub_id)
    assert rig.json(dub_id, "report.json")["outcome"] == "all-skipped"
    with rig.media.open(dub_id, "r2.result.mp4") as result:
        assert result.read() == rig.clip.read_bytes()


def test_a_chunk_in_which_nothing_was_understood_can_be_given_words(make_rig):
    rig = make_rig(stt_engine=FakeStt("One fish.", "", "Red fish."))
    dub_id = rig.dub()
    assert [segment["verdict"] == "kept" for segment in rig.segments(dub_id)] == [False, True, False]
    rig.correct(dub_id, 1, translation="Dos peces.")
    rig.render(dub_id)
    assert [segment["text"] for segment in rig.segments(dub_id)] == list(SPANISH.values())


def test_untouched_sentences_stay_as_they_were_after_a_swap_of_engines(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    rig.engines.versions = dict.fromkeys(rig.engines.versions, "2")
    rig.correct(dub_id, 0, translation="Un pececito.")
    rig.render(dub_id)
    rig.engines.versions = dict.fromkeys(rig.engines.versions, "3")
    rig.correct(dub_id, 2, translation="Pececito rojo.")
    rig.render(dub_id)
    assert rig.calls() == (3, 3, 5)


def test_another_version_of_an_engine_is_asked_anew_for_another_try_of_a_dub(make_rig):
    entered, release = threading.Event(), threading.Event()
    rig = make_rig(mt_engine=_slow_at(2, entered, release))
    dub_id = rig.submit()
    assert entered.wait(30)
    eventually(lambda: len(rig.engines.stt_engine.calls) == 3, what="all is heard")
    rig.engines.versions = {**rig.engines.versions, "stt_pocketsphinx": "2"}
    _hand_over(rig, release)
    eventually(lambda: rig.dubs.get(dub_id).state is DubState.SUCCEEDED)
    assert len(rig.engines.stt_engine.calls) == 6


def test_what_the_stages_finished_before_their_owner_died_is_not_done_again(make_rig):
    entered, release = threading.Event(), threading.Event()
    rig = make_rig(mt_engine=_slow_at(3, entered, release))
    dub_id = rig.submit()
    assert entered.wait(30)
    eventually(lambda: len(rig.engines.tts_engine.calls) == 2, what="two sentences are spoken")
    eventually(lambda: _kept_speech(rig, dub_id) == 2, what="all that was finished is kept, speech last")
    _hand_over(rig, release)
    eventually(lambda: rig.dubs.get(dub_id).state is DubState.SUCCEEDED)
    assert len(rig.engines.stt_engine.calls) == 3
    assert len(rig.engines.tts_engine.calls) <= 4  # the third sentence was on its way when its owner stopped
    runs = rig.runs(dub_id)
    assert runs["stt"] == (0, 3)
    assert runs["mt"] == runs["tts"] == (1, 2)
    assert [segment["text"] for segment in rig.segments(dub_id)] == list(SPANISH.values())


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_damaged_results_are_made_again(make_rig, damage):
    rig = make_rig()
    dub_id = rig.dub()
    for path in _cached(rig, dub_id):
        content = path.read_bytes()
        path.write_bytes(content[:-1] if damage is None else damage)
    rig.engines.stt_engine._texts = list(TEXTS)
    rig.correct(dub_id, 1, translation="Dos pececitos.")
    assert rig.render(dub_id).state is DubState.SUCCEEDED
    assert rig.calls() == (6, 5, 6)
    assert [segment["text"] for segment in rig.segments(dub_id)] == ["Un pez.", "Dos pececitos.", "Pez rojo."]


def test_a_failed_render_leaves_the_dub_as_it_was_and_says_why(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    before, names = rig.segments(dub_id), rig.media.names(dub_id)
    rig.engines.mt_engine._failures = [EngineRefused("mt", "no such words")]
    rig.correct(dub_id, 1, text="Blue fish.")
    render = rig.render(dub_id)
    assert (render.state, render.error_code) == (DubState.FAILED, "stage-failed")
    assert "no such words" in render.error_detail
    assert rig.dubs.get(dub_id).state is DubState.SUCCEEDED
    assert (rig.segments(dub_id), rig.media.names(dub_id)) == (before, names)
    assert rig.render(dub_id).state is DubState.SUCCEEDED  # the same corrections, asked for again
    assert rig.segments(dub_id)[1]["source_text"] == "Blue fish."


def test_corrections_of_sentences_that_are_none_any_more_are_told(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    rig.dubs.renders.correct(dub_id, uuid.uuid4(), 1, lambda _: Correction(translation="Nada."))
    assert rig.render(dub_id).error_code == "sentences-changed"


def test_a_cancelled_render_leaves_the_dub_as_it_was(make_rig):
    entered, release = threading.Event(), threading.Event()
    rig = make_rig(mt_engine=_slow_at(4, entered, release))
    dub_id = rig.dub()
    names = rig.media.names(dub_id)
    rig.correct(dub_id, 1, text="Blue fish.")
    render_id = rig.ask(dub_id)
    assert entered.wait(30)
    assert rig.dubs.renders.cancel(dub_id).id == render_id
    release.set()
    eventually(lambda: rig.broker.depth(topology.JOBS) == 0 and not _at_work(rig), what="the session ended")
    eventually(lambda: rig.media.names(dub_id) == names)
    assert rig.dubs.get(dub_id).revision == 1
    assert rig.render(dub_id).state is DubState.SUCCEEDED
    assert rig.dubs.get(dub_id).revision == 3  # no number is given twice


def test_deleting_the_dub_stops_its_render_and_leaves_nothing(make_rig):
    entered, release = threading.Event(), threading.Event()
    rig = make_rig(mt_engine=_slow_at(4, entered, release))
    dub_id = rig.dub()
    rig.correct(dub_id, 1, text="Blue fish.")
    render_id = rig.ask(dub_id)
    assert entered.wait(30)
    rig.dubs.erase(dub_id)
    rig.media.delete(dub_id)
    release.set()
    eventually(lambda: not _at_work(rig), what="the session ended")
    eventually(lambda: rig.media.names(dub_id) == [] and not list(_cached(rig, dub_id)))
    assert rig.dubs.renders.is_cancelled(render_id)


def test_only_two_revisions_are_kept(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    for text in ("Uno.", "Dos.", "Tres."):
        rig.correct(dub_id, 0, translation=text)
        rig.render(dub_id)
    results = ["r3.result.mp4", "r4.result.mp4"]
    eventually(lambda: [name for name in rig.media.names(dub_id) if "result.mp4" in name] == results)
    assert "clip" in rig.media.names(dub_id)


def test_progress_of_a_render_is_told_among_the_events_of_the_dub(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    last = rig.dubs.events.last_id(dub_id)
    rig.correct(dub_id, 1, translation="Dos pececitos.")
    rig.render(dub_id)
    events = rig.dubs.events.after(dub_id, last)
    assert [event.data["state"] for event in events if event.kind == "render"] == ["queued", "running", "succeeded"]
    assert {"faces", "lips"} <= {event.stage for event in events}


def test_an_owner_that_dies_over_a_render_is_followed_by_another(make_rig):
    rig = make_rig()
    dub_id = rig.dub()
    rig.engines.mt_engine._failures = [EngineUnavailable("mt", "away")] * 2
    rig.correct(dub_id, 1, text="Blue fish.")
    assert rig.render(dub_id).state is DubState.SUCCEEDED


def test_a_translation_keeps_the_glossary_and_tells_what_it_could_not_keep(make_rig):
    dictionary = {"One fish.": "Un pez.", "Two fish.": "Dos peces.", "One Qzxa.": "Un Qzxa.", "fish": "un pescado"}
    rig = make_rig(mt_engine=FakeMt({**dictionary, "Two Qzxa.": "Dos.", "Red Qzxa.": "Qzxa rojo."}))
    dub_id = rig.dub(glossary={"fish": "merluza"})
    segments = rig.segments(dub_id)
    assert [segment["text"] for segment in segments] == ["Un merluza.", "Dos peces.", "Merluza rojo."]
    assert [segment.get("glossary_missed", []) for segment in segments] == [[], ["fish"], []]
    report = rig.json(dub_id, "report.json")["glossary"]
    assert report == {"terms": 1, "used": {"fish": 3}, "missed": {"fish": 1}}


def test_nothing_is_kept_when_triton_does_not_say_what_it_serves(make_rig):
    rig = make_rig()
    rig.engines.versions = {}
    dub_id = rig.dub()
    rig.engines.stt_engine._texts = list(TEXTS)
    rig.correct(dub_id, 1, translation="Dos pececitos.")
    rig.render(dub_id)
    assert rig.calls() == (6, 5, 6)


def _slow_at(call, entered, release):
    class Slow(FakeMt):
        def translate(self, *arguments, **options):
            if len(self.calls) == call - 1 and not entered.is_set():
                entered.set()
                release.wait(30)
            return super().translate(*arguments, **options)

    return Slow(SPANISH)


def _hand_over(rig, release):
    """Stop the owner while an engine is at work, and start another one."""
    rig.owner.stop()
    release.set()
    rig.engines.stt_engine._texts = list(TEXTS)
    rig.owner = rig.new_owner()


def _at_work(rig):
    return list(rig.pipeline.settings.session.work_dir.iterdir())


def _cached(rig, dub_id):
    return (path for path in rig.pipeline.settings.session.work_dir.parent.glob(f"media/{dub_id}/cache/*"))


def _kept_speech(rig, dub_id):
    """How many sentences' speech is kept, as a whole: files that are still being written have a dot in front."""
    whole = [path for path in _cached(rig, dub_id) if not path.name.startswith(".")]
    return sum(b"pcm" in path.read_bytes() for path in whole)


def two_faces(frame):
    """A larger one on the left, a smaller one on the right."""
    height, width = frame.shape[:2]
    left, right = (0.0, 0.2, 0.58, 0.8), (0.46, 0.2, 1.0, 0.8)
    return np.array([[*(np.array(box) * [width, height, width, height]), 0.9] for box in (left, right)], np.float32)


def test_a_corrected_speaker_has_the_lips_for_its_sentence_and_no_stage_of_language_is_asked(make_rig):
    rig = make_rig(faces_engine=FakeFaces(two_faces))
    dub_id = rig.dub()
    assert [segment["face"] for segment in rig.segments(dub_id)] == [1, 1, 1]
    rig.correct(dub_id, 1, speaker=2)
    assert rig.render(dub_id).state is DubState.SUCCEEDED
    assert rig.calls() == (3, 3, 3)
    segments = rig.segments(dub_id)
    assert [segment["face"] for segment in segments] == [1, 2, 1]
    assert segments[1]["corrected"] == ["speaker"]
    speakers = [(one["track"], one["chosen_by"]) for one in rig.json(dub_id, "report.json")["visual"]["speakers"]]
    assert speakers == [(1, "largest"), (2, "correction"), (1, "largest")]
    rig.correct(dub_id, 1, speaker=0)
    rig.render(dub_id)
    assert [segment.get("face", 0) for segment in rig.segments(dub_id)] == [1, 0, 1]
    assert rig.segments(dub_id)[1]["text"] == "Dos peces."
    rig.correct(dub_id, 1, speaker=None)
    rig.render(dub_id)
    assert [segment["face"] for segment in rig.segments(dub_id)] == [1, 1, 1]
