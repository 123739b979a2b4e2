"""One flat file of figures: what was measured, where, and by which command."""

import json
import platform
import subprocess
import sys
from pathlib import Path

RESULTS = Path("out/bench/results.json")


def record(figures: dict[str, float]) -> None:
    """Merge figures into the results file and print them."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known |= {name: round(value, 4) for name, value in figures.items()}
    known |= {"machine": machine(), "commit": commit(), "command": " ".join(["python", *sys.argv])}
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    for name, value in figures.items():
        print(f"{name:36} {value:10.4f}", flush=True)


def machine() -> str:
    """Processor, cores and memory, as /proc tells them."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    cpu = names[0].split(":", 1)[1].strip() if names else platform.machine()
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{cpu}, {cores} cores, {kilobytes / 2**20:.0f} GB"


def commit() -> str:
    """The checked-out commit, with a mark when the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return described or "unknown"
