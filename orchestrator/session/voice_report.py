"""The part of `report.json` that tells whose voice the dub has (docs/SOUND.md)."""

import msgspec

from orchestrator.session.voice import SessionVoice


class VoiceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whose voice it is, and from where in the clip it was taken."""

    outcome: str
    """`cloned`; `engines-own` (the engine clones no voices), `off` (the settings say so), `too-little-speech`."""
    reference: str = ""
    """Name of the reference, as in `segments.json`."""
    speech_s: float = 0.0
    """How much speech it holds."""
    stretches_ms: tuple[tuple[int, int], ...] = ()
    """Start and end of each, in the source's time."""


def voice_report(voice: SessionVoice, sound_starts_s: float) -> VoiceReport:
    """Return the report; `sound_starts_s`: where the clip's sound begins on the source's clock as it is now."""
    outcome, reference = voice.report()
    if reference is None:
        return VoiceReport(outcome=outcome.value)
    later_ms = round(sound_starts_s * 1000) - reference.sound_starts_ms
    return VoiceReport(
        outcome=outcome.value,
        reference=reference.id,
        speech_s=round(reference.speech_s, 3),
        stretches_ms=tuple((start_ms + later_ms, end_ms + later_ms) for start_ms, end_ms in reference.stretches_ms),
    )
