"""What the stages have made of a clip before is not made again: the session asks its memory before it asks them.

A result's key is the SHA-256 of everything that went into it: the input, the languages, the engine's name, the version
that Triton serves, the settings that matter. So a session that another owner has begun goes on with what is there, and
a render of a corrected dub asks the stages for what was corrected and nothing else.

An untouched sentence of a render stays as it is even when an engine was swapped since: keys are tried with the versions
of the dub and of its earlier renders first (they are kept as well), and then with those of today. What Triton does not
name a version of is neither looked up nor kept, but for the gate's opinions: a sentence that was corrected must stay
one.
"""

import hashlib
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import structlog

from client.contracts import Float32Array, Task
from client.errors import EngineError
from client.pinned import split_pinned
from orchestrator.messages import AnyRecord, Sentence, SpeechChunk, SpokenSentence, Transcript, Translation
from orchestrator.pcm import float_to_pcm
from orchestrator.queues import topology
from orchestrator.segmentation.sentences import Gate, Judge, Opinion
from orchestrator.session.outbox import Outbox
from orchestrator.session.request import DubRequest, SessionEngines
from orchestrator.settings import Settings
from orchestrator.store.artefacts import FIRST_REVISION
from orchestrator.store.stage_cache import StageCache, cache_key, read_as
from orchestrator.voice.reference import voice_id

log = structlog.get_logger()

_VERSIONS_KEY = cache_key("versions")
_UNKNOWN = ""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Kept of STT, for one chunk."""

    text: str
    language: str
    no_speech_probability: float
    mean_logprob: float


class Translated(msgspec.Struct, frozen=True, kw_only=True):
    """Kept of MT, for one sentence."""

    text: str
    glossary_missed: tuple[str, ...]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Kept of TTS, for one sentence: int16 PCM, 24 kHz."""

    pcm: bytes
    speed: float
    remarks: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Kept of the sentence gate, for one text; the fields are Opinion's."""

    complete: bool
    by: Gate
    pause_ms: int
    score: float | None
    fallback: str


class Recall:
    """Stands between a session and its outbox: answers what is known, and learns from the answers that come."""

    def __init__(
        self,
        outbox: Outbox,
        cache: StageCache,
        request: DubRequest,
        engines: SessionEngines,
        settings: Settings,
        on_known: Callable[[Transcript | SpokenSentence], None],
    ) -> None:
        """`on_known` is given what the stages need not be asked for, on the thread that publishes."""
        self._outbox = outbox
        self._cache = cache
        self._request = request
        self._engines = engines
        self._settings = settings
        self._on_known = on_known
        self._lock = threading.Lock()
        self._versions: list[dict[str, str]] | None = None
        self._chunk_keys: dict[uuid.UUID, str] = {}
        self._sentence_keys: dict[uuid.UUID, str] = {}
        self._recalled: set[uuid.UUID] = set()
        """Sentences whose speech was remembered."""
        self.reused: Counter[str] = Counter()
        """Answers that no stage was asked for, by the stage."""

    def publish(self, queue: str, record: AnyRecord) -> None:
        """Publish, or answer from memory; raises as Outbox.publish."""
        if isinstance(record, SpeechChunk):
            self._hear(record)
        elif isinstance(record, Sentence):
            self._translate(record)
        elif isinstance(record, Translation):
            self._speak(record)
        else:
            self._outbox.publish(queue, record)

    def learn(self, reply: Transcript | SpokenSentence) -> None:
        """Remember what a stage has answered; of speech only what it says, see `learn_speech`."""
        if isinstance(reply, Transcript):
            self._keep(
                self._taken(self._chunk_keys, reply),
                Heard(
                    text=reply.text,
                    language=reply.language,
                    no_speech_probability=reply.no_speech_probability,
                    mean_logprob=reply.mean_logprob,
                ),
            )
        else:
            translated = Translated(text=reply.text, glossary_missed=reply.glossary_missed)
            self._keep(self._taken(self._sentence_keys, reply), translated)

    def learn_speech(self, part: SpokenSentence, sound: Float32Array, remarks: tuple[str, ...] = ()) -> None:
        """Remember the whole speech of a sentence: mono, 24 kHz, as the engine spoke it, and its `remarks`."""
        if part.segment_id not in self._recalled:
            slot_ms = part.end_ms - part.start_ms
            key = next(self._speech_keys(part.text, slot_ms, part.voice, latest_only=True), None)
            self._keep(key, Said(pcm=float_to_pcm(sound), speed=part.speed, remarks=remarks))

    def judging(self, judge: Judge) -> Judge:
        """Return a judge that says of a text what `judge` has said before, and asks it otherwise."""

        def judged(text: str, language: str) -> Opinion:
            keys = list(self._keys(Task.BOUNDARY, text, language, self._settings.gate.model_dump()))
            known: Judged | None = self._known(Judged, keys)
            if known is not None:
                self.reused[Task.BOUNDARY] += 1
                return Opinion(**msgspec.structs.asdict(known))
            opinion = judge(text, language)
            self._keep(
                keys[-1],
                Judged(
                    complete=opinion.complete,
                    by=opinion.by,
                    pause_ms=opinion.pause_ms,
                    score=opinion.score,
                    fallback=opinion.fallback,
                ),
            )
            return opinion

        return judged

    def _hear(self, chunk: SpeechChunk) -> None:
        sound = hashlib.sha256(chunk.pcm).hexdigest()
        keys = list(self._keys(Task.STT, sound, chunk.source_language))
        known: Heard | None = self._known(Heard, keys)
        if known is None:
            self._expect(self._chunk_keys, chunk.segment_id, keys)
            self._outbox.publish(topology.AUDIO, chunk)
            return
        self.reused[Task.STT] += 1
        self._on_known(Transcript(**_common(chunk), **msgspec.structs.asdict(known)))

    def _translate(self, sentence: Sentence) -> None:
        languages = (sentence.source_language, sentence.target_language)
        keys = list(self._keys(Task.MT, sentence.text, languages, sentence.glossary))
        known: Translated | None = self._known(Translated, keys)
        if known is None:
            self._expect(self._sentence_keys, sentence.segment_id, keys)
            self._outbox.publish(topology.TEXT, sentence)
            return
        self.reused[Task.MT] += 1
        self._speak(
            Translation(
                **_common(sentence),
                source_text=sentence.text,
                text=known.text,
                target_language=sentence.target_language,
                reply_to=sentence.reply_to,
                spoken_reply_to=sentence.spoken_reply_to,
                glossary_missed=known.glossary_missed,
                voice_pcm=sentence.voice_pcm,
            )
        )

    def _speak(self, translation: Translation) -> None:
        voice = voice_id(translation.voice_pcm)
        keys = list(self._speech_keys(translation.text, translation.end_ms - translation.start_ms, voice))
        known: Said | None = self._known(Said, keys)
        if known is None:
            self._outbox.publish(topology.TRANSLATION, translation)
            return
        self.reused[Task.TTS] += 1
        self._recalled.add(translation.segment_id)
        self._on_known(
            SpokenSentence(
                **_common(translation),
                synthesis_id=uuid.uuid4(),
                chunk_index=0,
                final=True,
                pcm=known.pcm,
                source_text=translation.source_text,
                text=translation.text,
                speed=known.speed,
                glossary_missed=translation.glossary_missed,
                voice=voice,
                remarks=known.remarks,
            )
        )

    def _speech_keys(self, text: str, slot_ms: int, voice: str, *, latest_only: bool = False) -> Iterator[str]:
        facts: tuple[object, ...] = (text, self._request.target_language, slot_ms)
        facts = (*facts, self._settings.timing.preferred_max_rate, *([voice] if voice else []))
        return self._keys(Task.TTS, *facts, latest_only=latest_only)

    def _keys(self, task: Task, *facts: object, latest_only: bool = False) -> Iterator[str]:
        """Yield the keys of one result, of the dub's versions and of today's, the latter last."""
        model = self._model(task)
        served = self._served()
        for versions in served[-1:] if latest_only else served:
            version = versions.get(task.value, _UNKNOWN)
            if version != _UNKNOWN or task is Task.BOUNDARY:
                yield cache_key(task.value, model, version, *facts)

    def _model(self, task: Task) -> str:
        return split_pinned(self._named(task))[0]

    def _named(self, task: Task) -> str:
        configured: str = getattr(self._settings.engines, task.value)
        return self._request.engines.get(task.value) or configured

    def _served(self) -> list[dict[str, str]]:
        with self._lock:
            if self._versions is None:
                today = self._versions_of_today()
                kept = self._cache.get(_VERSIONS_KEY) if self._request.revision > FIRST_REVISION else None
                before: list[dict[str, str]] = read_as(list[dict[str, str]], kept) or []
                self._versions = [versions for versions in before if versions != today] + [today]
                self._keep(_VERSIONS_KEY, self._versions)
            return self._versions

    def _versions_of_today(self) -> dict[str, str]:
        models = {task.value: split_pinned(self._named(task)) for task in (Task.STT, Task.MT, Task.TTS, Task.BOUNDARY)}
        try:
            served = self._engines.served_versions()
        except EngineError as error:
            log.warning("nothing is remembered: Triton does not say what it serves", reason=str(error))
            return {}
        return {task: version or served[model] for task, (model, version) in models.items() if model in served}

    def _known(self, kind: type[msgspec.Struct], keys: list[str]) -> Any:  # noqa: ANN401 (a `kind`)
        return next((value for key in keys if (value := read_as(kind, self._cache.get(key))) is not None), None)

    def _expect(self, expected: dict[uuid.UUID, str], segment_id: uuid.UUID, keys: list[str]) -> None:
        if keys:
            with self._lock:
                expected[segment_id] = keys[-1]

    def _taken(self, expected: dict[uuid.UUID, str], reply: Transcript | SpokenSentence) -> str | None:
        with self._lock:
            return expected.pop(reply.segment_id, None)

    def _keep(self, key: str | None, value: object) -> None:
        if key is not None:
            self._cache.put(key, msgspec.msgpack.encode(value))


def _common(record: SpeechChunk | Sentence | Translation) -> dict[str, Any]:
    """Return what an answer takes over from what it answers; without timings: no stage has worked."""
    return {
        "session_id": record.session_id,
        "segment_id": record.segment_id,
        "sequence": record.sequence,
        "start_ms": record.start_ms,
        "end_ms": record.end_ms,
        "engines": record.engines,
    }
