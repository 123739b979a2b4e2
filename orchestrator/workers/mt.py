"""Machine translation: Sentence -> Translation."""

from collections.abc import Iterator

from client.contracts import Task
from orchestrator.glossary import Kept, translate_with
from orchestrator.messages import Sentence, Translation
from orchestrator.queues import topology
from orchestrator.workers.base import Answer, Engines, inherit
from orchestrator.workers.clock import StageClock


class MtStage:
    """Translates a sentence for the TTS stage. Nothing to translate stays nothing: no engine is asked."""

    task = Task.MT
    queue = topology.TEXT
    kind = Sentence

    def __init__(self, engines: Engines) -> None:
        """Take the engine that each sentence asks for from `engines`."""
        self._engines = engines

    def answers(self, work: Sentence, clock: StageClock, traceparent: str) -> Iterator[Answer]:
        """Yield the one translation."""
        kept = Kept(work.text.strip())
        if kept.text:
            engine = self._engines.mt(work.engines.get(Task.MT, ""))

            def translate(text: str) -> str:
                languages = (work.source_language, work.target_language)
                return engine.translate(text, *languages, traceparent=traceparent).strip()

            kept = translate_with(kept.text, work.glossary, translate)
        translation = Translation(
            **inherit(work, clock.timing()),
            source_text=work.text,
            text=kept.text,
            target_language=work.target_language,
            reply_to=work.reply_to,
            spoken_reply_to=work.spoken_reply_to,
            glossary_missed=kept.missed,
            voice_pcm=work.voice_pcm,
        )
        yield Answer(topology.TRANSLATION, translation)
