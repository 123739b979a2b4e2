"""Who speaks a sentence, as a person corrects it: the faces that are there, and the stretches that follow from it.

Read from what a finished dub says of itself: times from `segments.json`, shots and tracks from `report.json`.
"""

import math
import uuid
from collections.abc import Mapping

import msgspec

from orchestrator.corrections import Correction
from orchestrator.errors import ArtefactNotReady, CorrectionRefused, SegmentNotFound, StoreUnavailable
from orchestrator.store.artefacts import Artefact, in_revision
from orchestrator.store.media import MediaStore
from orchestrator.visual.overruling import Overrule

LEAD_MS = 120
"""Lips fade in this long before the speech (session/render.py): the face must be theirs by then."""
NOBODY = 0


class Spoken(msgspec.Struct, frozen=True):
    """A sentence, as `segments.json` has it."""

    sequence: int
    segment_id: uuid.UUID
    start_ms: int


class Shot(msgspec.Struct, frozen=True):
    """A stretch between two cuts, as `report.json` has it."""

    start_ms: int
    end_ms: int


class Track(msgspec.Struct, frozen=True):
    """A face through one shot, as `report.json` has it."""

    id: int
    shot: int
    first_ms: int
    last_ms: int


class _Segments(msgspec.Struct, frozen=True):
    segments: tuple[Spoken, ...]


class _Visual(msgspec.Struct, frozen=True):
    shots: tuple[Shot, ...]
    tracks: tuple[Track, ...]


class _Report(msgspec.Struct, frozen=True):
    visual: _Visual


class Scene(msgspec.Struct, frozen=True):
    """Sentences, shots and faces of a finished dub."""

    sentences: tuple[Spoken, ...]
    shots: tuple[Shot, ...]
    tracks: tuple[Track, ...]

    @classmethod
    def read(cls, media: MediaStore, dub_id: uuid.UUID, revision: int) -> "Scene":
        """Read a revision's files. Raises StoreUnavailable when they are not there."""
        try:
            with media.open(dub_id, in_revision(Artefact.SEGMENTS, revision)) as source:
                sentences = msgspec.json.decode(source.read(), type=_Segments).segments
            with media.open(dub_id, in_revision(Artefact.REPORT, revision)) as source:
                visual = msgspec.json.decode(source.read(), type=_Report).visual
        except ArtefactNotReady as error:
            raise StoreUnavailable(f"the sentences of dub {dub_id} are not there") from error
        return cls(sentences, visual.shots, visual.tracks)

    def sentence(self, number: int) -> Spoken:
        """Return the sentence of that `sequence`; SegmentNotFound says how many there are."""
        for sentence in self.sentences:
            if sentence.sequence == number:
                return sentence
        raise SegmentNotFound(f"there is no sentence {number}; there are {len(self.sentences)}, counted from 0")

    def check(self, sentence: Spoken, speaker: int | None) -> None:
        """Raise CorrectionRefused, naming the faces that are there, for a face that is not in sight in the sentence."""
        if speaker is None or speaker == NOBODY:
            return
        there = [track.id for track in self.tracks if self._overrule(sentence, track) is not None]
        if speaker not in there:
            faces = ", ".join(map(str, there)) or "none"
            raise CorrectionRefused(f"speaker: face {speaker} is not there; in this sentence there are: {faces}")

    def overrules(self, corrections: Mapping[str, Correction]) -> tuple[Overrule, ...]:
        """Return the stretches that the corrections (by segment id) give to a face, or to nobody.

        A sentence has its lips until the next one starts. A face lasts no longer than its shot: the part of the
        sentence that lies in another one is left to whoever is chosen there.
        """
        found = []
        for sentence in self.sentences:
            correction = corrections.get(str(sentence.segment_id), Correction())
            if correction.speaker == NOBODY:
                start_ms, end_ms = self._window(sentence)
                found.append(Overrule(start_ms / 1000, end_ms / 1000, NOBODY))
            for track in self.tracks:
                overrule = self._overrule(sentence, track) if track.id == correction.speaker else None
                if overrule is not None:
                    found.append(overrule)
        return tuple(found)

    def _window(self, sentence: Spoken) -> tuple[float, float]:
        """Return from when to when the sentence has the lips, in milliseconds."""
        later = [other.start_ms for other in self.sentences if other.start_ms > sentence.start_ms]
        return sentence.start_ms - LEAD_MS, min(later, default=math.inf) - LEAD_MS

    def _overrule(self, sentence: Spoken, track: Track) -> Overrule | None:
        """Return the stretch of the track's shot that belongs to the sentence; None if the track is not seen in it."""
        start_ms, end_ms = self._window(sentence)
        if track.first_ms >= end_ms or track.last_ms < start_ms:
            return None
        shot = self.shots[track.shot - 1]
        last_shot = track.shot == len(self.shots)
        shot_end_ms = math.inf if last_shot else shot.end_ms
        return Overrule(max(start_ms, shot.start_ms) / 1000, min(end_ms, shot_end_ms) / 1000, track.id)
