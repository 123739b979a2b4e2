"""The one voice of a session: a reference of the speaker, for a TTS engine that clones; frozen once it was chosen.

It is kept in the dub's stage cache, so that another try of the job and every render speak by the very same bytes, and
is erased with it.
"""

import math
import threading
from collections.abc import Callable
from enum import StrEnum

import msgspec

from client.contracts import TtsEngine
from orchestrator.errors import SessionCancelled
from orchestrator.segmentation.vad import Chunk
from orchestrator.settings import VoiceSettings
from orchestrator.store.stage_cache import StageCache, cache_key, read_as
from orchestrator.voice.choice import ReferenceChoice
from orchestrator.voice.reference import Reference

POLL_S = 0.02
"""How often a sentence that waits looks whether it may go on."""

_KEY = cache_key("voice")


class VoiceOutcome(StrEnum):
    """Whose voice the dub has."""

    CLONED = "cloned"
    """The engine was given a reference of the speaker."""
    ENGINES_OWN = "engines-own"
    """The engine does not clone voices."""
    OFF = "off"
    """The settings say so."""
    TOO_LITTLE_SPEECH = "too-little-speech"
    """The engine clones voices, but there is no reference that could be given."""


class SessionVoice:
    """Chooses the reference while chunks are cut and heard, and hands it out. Thread-safe.

    Of an engine that clones no voices nothing is kept, computed or waited for.
    """

    def __init__(
        self,
        settings: VoiceSettings,
        cache: StageCache,
        stop: threading.Event,
        unspoken: Callable[[], int],
        sound_starts_s: float,
    ) -> None:
        """`unspoken`: how many sentences are on their way. `sound_starts_s`: on the source's clock."""
        self._settings = settings
        self._cache = cache
        self._stop = stop
        self._unspoken = unspoken
        self._sound_starts_ms = round(sound_starts_s * 1000)
        self._lock = threading.Lock()
        self._choice: ReferenceChoice | None = None
        self._reference: Reference | None = None
        self._waited_for = False
        self._outcome = VoiceOutcome.OFF

    def open(self, engine: TtsEngine) -> None:
        """Ask `engine` whether it clones voices; to be called before the first chunk is cut. Raises EngineError."""
        if not self._settings.clone:
            return
        self._outcome = VoiceOutcome.ENGINES_OWN
        if not engine.clones_voice():
            return
        self._outcome = VoiceOutcome.TOO_LITTLE_SPEECH
        kept: Reference | None = read_as(Reference, self._cache.get(_KEY))
        if kept is not None:
            self._freeze(kept)
        else:
            self._choice = ReferenceChoice(self._settings, self._sound_starts_ms / 1000)

    def cut(self, chunk: Chunk) -> None:
        """A chunk was cut; to be told before its transcript can come, and in the order of speech."""
        with self._lock:
            if self._choice is not None:
                self._choice.cut(chunk)

    def hear(self, number: int, *, speech: bool) -> None:
        """A chunk was transcribed; `speech`: words were understood."""
        with self._lock:
            if self._choice is not None:
                self._choice.hear(number, speech=speech)
                self._take_over(self._choice)

    def settle(self, until_s: float) -> None:
        """Every chunk that starts before `until_s` was cut."""
        with self._lock:
            if self._choice is not None:
                self._choice.settle(until_s)
                self._take_over(self._choice)

    def end(self) -> None:
        """No chunk follows."""
        self.settle(math.inf)

    @property
    def wanted(self) -> bool:
        """A sentence waits until it is chosen: whoever cuts must go on, however much sound is held."""
        return self._waited_for and self._choice is not None

    def for_sentence(self) -> bytes:
        """Return the PCM of the reference for the sentence that is to be sent now; empty: there is none.

        Waits until the reference is chosen, and while as many sentences as are allowed are on their way: a reference
        is larger than a text, and must not fill a queue.

        Raises:
            SessionCancelled: the session was stopped meanwhile.
        """
        self._waited_for = True
        self._wait_while(lambda: self._choice is not None)
        if self._reference is None or not self._reference.pcm:
            return b""
        self._wait_while(lambda: self._unspoken() > self._settings.sentences_in_work)
        return self._reference.pcm

    def report(self) -> tuple[VoiceOutcome, Reference | None]:
        """Return whose voice it is, and its reference if there is one."""
        return self._outcome, self._reference if self._reference is not None and self._reference.pcm else None

    def _wait_while(self, must_wait: Callable[[], bool]) -> None:
        while must_wait():
            if self._stop.wait(POLL_S):
                raise SessionCancelled("stopped while a sentence waited for its voice")

    def _take_over(self, choice: ReferenceChoice) -> None:
        if choice.reference is not None:
            self._cache.put(_KEY, msgspec.msgpack.encode(choice.reference))
            self._freeze(choice.reference)

    def _freeze(self, reference: Reference) -> None:
        self._reference, self._choice = reference, None
        if reference.pcm:
            self._outcome = VoiceOutcome.CLONED
