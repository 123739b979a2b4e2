"""End to end with the embedded engines: real-time factor, first speech, and memory against the length of the clip.

Each dub is a process of its own (`polylip dub`), so that its peak memory is its own; start-up is not counted, as the
report's clock starts with the session.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.looped_clip import loop_clip
from tests.benchmarks.results import record

SAMPLE = Path("samples/astronaut_en.mp4")
RUNS = 5
SHORT_S, LONG_S = 60.0, 1200.0


def dub(clip: Path, out: Path) -> dict:
    """Dub one clip; return its report."""
    subprocess.run(
        [sys.executable, "-m", "orchestrator.cli.main", "dub", str(clip), "--to", "es", "--out", str(out)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return json.loads((out / "report.json").read_text())


def main() -> None:
    """Measure and record."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        reports = [dub(SAMPLE, out) for _ in range(RUNS)]
        record(
            {
                "embedded.rtf_8s": statistics.median(report["rtf"] for report in reports),
                "embedded.first_output_s": statistics.median(report["first_speech_s"] for report in reports),
            }
        )
        peaks = {}
        for seconds in (SHORT_S, LONG_S):
            clip = Path(scratch) / f"{seconds:.0f}.mp4"
            loop_clip(SAMPLE, clip, seconds)
            report = dub(clip, out)
            peaks[seconds] = report["peak_rss_mb"]
            print(f"{seconds:.0f} s: RTF {report['rtf']}, peak {report['peak_rss_mb']} MB", flush=True)
        record({"embedded.memory_growth": peaks[LONG_S] / peaks[SHORT_S]})


if __name__ == "__main__":
    main()
