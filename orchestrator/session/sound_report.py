"""The parts of `report.json` that tell of the result's sound, and of the source's own sync (docs/SOUND.md)."""

import math

import msgspec

from orchestrator.session.mixer import SoundMixer
from orchestrator.timing.loudness_match import LoudnessMatch
from orchestrator.visual.offset_pass import SourceSync


class SoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of the result before it is encoded. Loudness as EBU R128 means it; none where there is silence."""

    background: str = ""
    """`duck`: the source's own sound stays, `duck_db` lower while somebody speaks; `off`: only the dub is heard;
    "" when the clip came back unchanged."""
    duck_db: float | None = None
    ducked_s: float = 0.0
    """How long the source's sound is lower than it was."""
    channels: int = 0
    source_lufs: float | None = None
    """The source's speech that was dubbed, mixed down to one channel."""
    dub_lufs_before: float | None = None
    """The dub as the engine spoke it; none when `match_loudness` is off, like what follows."""
    dub_lufs: float | None = None
    """The dub as it is mixed, limiter excluded."""
    gain_db_first: float | None = None
    """Of the first sentence."""
    gain_db_last: float | None = None
    result_lufs: float | None = None
    """The whole mix."""
    true_peak_dbtp: float | None = None
    """Its highest true peak."""


class SourceSyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the clip's sound lies against its picture."""

    verdict: str
    """`in-sync`, `corrected`, `unknown` (no face, too little speech, or no clear answer), `off`."""
    offset_ms: int | None
    """Positive: the sound comes late. None when nothing could be measured; not to be trusted when `unknown`."""
    corrected_ms: int
    """So much earlier (positive) or later the source's sound, and with it the dub, lies in the result."""
    correlation: float | None
    """Of mouth motion and loudness at that offset, -1..1."""
    lead: float | None
    """How far it stands out from all other offsets."""
    watched_s: float
    """Seconds of clip with a face that were looked at."""
    took_s: float


def sound_report(mixer: SoundMixer | None, match: LoudnessMatch | None) -> SoundReport:
    """Return the report of a clip that was mixed to its end; None: it came back unchanged."""
    if mixer is None:
        return SoundReport()
    gains_db = match.gains_db if match else []
    return SoundReport(
        background="off" if mixer.duck_db is None else "duck",
        duck_db=mixer.duck_db,
        ducked_s=round(mixer.ducked_s, 3),
        channels=mixer.channels,
        source_lufs=_level(match.source_lufs) if match else None,
        dub_lufs_before=_level(match.dub_lufs_before) if match else None,
        dub_lufs=_level(match.dub_lufs_after) if match else None,
        gain_db_first=_level(gains_db[0]) if gains_db else None,
        gain_db_last=_level(gains_db[-1]) if gains_db else None,
        result_lufs=_level(mixer.loudness.lufs),
        true_peak_dbtp=_level(mixer.loudness.true_peak_dbtp),
    )


def source_sync_report(sync: SourceSync) -> SourceSyncReport:
    """Return what is known."""
    found = sync.found
    return SourceSyncReport(
        verdict=sync.verdict.value,
        offset_ms=round(found.offset_s * 1000) if found else None,
        corrected_ms=round(sync.corrected_s * 1000),
        correlation=round(found.correlation, 3) if found else None,
        lead=round(found.lead, 3) if found else None,
        watched_s=round(sync.watched_s, 2),
        took_s=round(sync.took_s, 3),
    )


def _level(decibels: float | None) -> float | None:
    return None if decibels is None or math.isinf(decibels) else round(decibels, 2)
