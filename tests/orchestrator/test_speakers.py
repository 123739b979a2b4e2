import itertools
import json
import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.corrections import Correction
from orchestrator.errors import CorrectionRefused, SegmentNotFound, StoreUnavailable
from orchestrator.speakers import Scene, Shot, Spoken, Track
from orchestrator.store.artefacts import Artefact
from orchestrator.store.media import MediaStore
from orchestrator.visual.overruling import Overrule

IDS = [uuid.UUID(int=number) for number in range(3)]
SENTENCES = (Spoken(0, IDS[0], 1000), Spoken(1, IDS[1], 3000), Spoken(2, IDS[2], 6000))
SHOTS = (Shot(0, 4000), Shot(4000, 9000))
TRACKS = (Track(1, 1, 0, 3960), Track(2, 1, 2500, 3960), Track(3, 2, 4000, 8960))
SCENE = Scene(SENTENCES, SHOTS, TRACKS)


def overrules(*speakers):
    corrections = {
        str(segment): Correction(speaker=speaker) for segment, speaker in zip(IDS, speakers, strict=True)
    }  # fmt: skip
    return SCENE.overrules(corrections)


def test_a_sentence_has_its_speaker_until_the_next_one_begins():
    assert overrules(1, None, None) == (Overrule(0.88, 2.88, 1),)


def test_the_last_sentence_has_its_speaker_to_the_end():
    assert overrules(None, None, 3) == (Overrule(5.88, math.inf, 3),)


def test_a_speaker_lasts_no_longer_than_its_shot_and_nobody_lasts_through_the_cut():
    assert overrules(None, 2, None) == (Overrule(2.88, 4.0, 2),)
    assert overrules(None, 3, None) == (Overrule(4.0, 5.88, 3),)
    assert overrules(None, 0, None) == (Overrule(2.88, 5.88, 0),)


def test_what_is_not_corrected_overrules_nothing():
    assert overrules(None, None, None) == ()
    assert SCENE.overrules({str(uuid.uuid4()): Correction(speaker=1)}) == ()


@pytest.mark.parametrize(("number", "speaker", "faces"), [(0, 3, "1, 2"), (2, 1, "3"), (1, 9, "1, 2, 3")])
def test_a_face_that_is_not_in_sight_is_refused_and_those_there_are_named(number, speaker, faces):
    with pytest.raises(CorrectionRefused, match=f"face {speaker} is not there.*: {faces}$"):
        SCENE.check(SCENE.sentence(number), speaker)


def test_faces_in_sight_nobody_and_no_correction_are_accepted():
    for number, speaker in ((0, 1), (1, 2), (1, 3), (2, 0), (0, None)):
        SCENE.check(SCENE.sentence(number), speaker)


def test_where_no_face_is_the_refusal_says_so():
    with pytest.raises(CorrectionRefused, match="there are: none"):
        Scene(SENTENCES, SHOTS, ()).check(SENTENCES[0], 1)


def test_there_is_no_fourth_sentence():
    with pytest.raises(SegmentNotFound, match="there are 3"):
        SCENE.sentence(3)


@given(st.lists(st.sampled_from([None, 0, 1, 2, 3]), min_size=3, max_size=3))
def test_stretches_never_overlap_and_belong_to_faces_that_pass_the_check(speakers):
    found = overrules(*speakers)
    assert all(before.end_s <= after.start_s for before, after in itertools.pairwise(found))
    assert all(one.start_s < one.end_s for one in found)
    for sentence, speaker in zip(SENTENCES, speakers, strict=True):
        has_one = any(one.track == speaker and sentence.start_ms < one.end_s * 1000 for one in overrules(*speakers))
        try:
            SCENE.check(sentence, speaker)
        except CorrectionRefused:
            continue
        assert has_one or speaker is None


def test_a_scene_is_read_from_what_a_dub_says_of_itself(tmp_path):
    media, dub_id = MediaStore(f"file://{tmp_path}/media"), uuid.uuid4()
    with pytest.raises(StoreUnavailable):
        Scene.read(media, dub_id, 1)
    segments = [{"sequence": 0, "segment_id": str(IDS[0]), "start_ms": 1000, "end_ms": 1500, "text": "a"}]
    track = {"id": 1, "shot": 1, "first_ms": 0, "last_ms": 3960, "frames": 99}
    report = {"rtf": 0.5, "visual": {"face": "", "shots": [{"start_ms": 0, "end_ms": 4000}], "tracks": [track]}}
    media.put_bytes(dub_id, Artefact.SEGMENTS.value, json.dumps({"segments": segments}).encode())
    media.put_bytes(dub_id, Artefact.REPORT.value, json.dumps(report).encode())
    assert Scene.read(media, dub_id, 1) == Scene(SENTENCES[:1], SHOTS[:1], TRACKS[:1])
