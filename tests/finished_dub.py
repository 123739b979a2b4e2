"""A folder as `polylip dub` leaves it, without a picture in its result."""

import json
from pathlib import Path

SENTENCES = [
    {
        "start_ms": 500, "end_ms": 2500, "verdict": "fits", "source_text": "Hello <b>you</b>", "text": "Hola & adiós",
        "dub_start_ms": 500, "dub_end_ms": 2300, "natural_ms": 1980, "slot_ms": 2000, "rate": 1.1, "speed": 1.1,
    },
    {
        "start_ms": 14_000, "end_ms": 16_000, "verdict": "overflow", "source_text": "two", "text": "dos",
        "dub_start_ms": 14_000, "dub_end_ms": 17_000, "natural_ms": 4500, "slot_ms": 2000, "rate": 1.5, "speed": 1.2,
        "stretch": 1.25, "borrowed_ms": 700, "onset_error_ms": 0, "remarks": ["spoken again: 9 s for <3> letters"],
    },
    {"start_ms": 18_000, "end_ms": 19_000, "verdict": "kept", "source_text": "", "text": ""},
]  # fmt: skip
REPORT = {
    "outcome": "dubbed",
    "source_language": "en",
    "target_language": "es",
    "clip": {"duration_s": 20.0, "frames": 500},
    "verdicts": {"fits": 1, "tight": 0, "overflow": 1, "kept": 1},
    "timing": {"speech_overlap": 0.78, "rate_p95": 1.5, "rate_max": 1.5, "slot_silent_share": 0.05},
}


def write_dub(folder: Path, result: bytes = b"") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "segments.json").write_text(json.dumps({"segments": SENTENCES}))
    (folder / "report.json").write_text(json.dumps(REPORT))
    (folder / "result.mp4").write_bytes(result)
