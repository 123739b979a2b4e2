"""How steady the boxes are: the detector's noise, jitter with and without the track, lag on fast motion.

    python -m tests.benchmarks.bench_tracking [--detector faces_haar]

Known paths: a portrait that is moved in code, with sensor noise. Real material: the sample clip, whose truth is not
known, so only its roughness is told. The settings `kalman_measurement_noise` and `kalman_process_noise` come from here.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from client.connection import TritonConnection
from client.faces import TritonFaces
from deploy.triton.embedded import EmbeddedTriton
from orchestrator.media.clip import FaceBox
from orchestrator.media.probe import probe
from orchestrator.media.video import read_frames
from orchestrator.settings import Settings
from orchestrator.visual.detection import FaceFinder
from orchestrator.visual.retry import EngineRetry
from tests.benchmarks.moving_face import MOTIONS, MovingFace, moving_face, pictures
from tests.benchmarks.results import record
from tests.benchmarks.tracking_figures import Path2, errors, held, jitter, lag_ms, path_of, roughness, steadied

SAMPLE = Path(__file__).parents[2] / "samples" / "astronaut_en.mp4"
SECONDS, WIDTHS_PX = 6.0, (60.0, 110.0, 150.0)
"""Widths of a face in the detector's picture, from a person at a table to a head that fills the frame."""
TABLE_WIDTH_PX = 110.0
PAPER_REDUCTION = 0.73
"""The paper's claim: jitter after Kalman smoothing against jitter before."""
FAST = ("nod, 1 per s", "fast nod, 1.5 per s", "shake, 1 per s", "jerk")
PROCESS_NOISES = (1.0, 2.0, 4.0, 8.0)

Seen = dict[tuple[float, str], tuple[Path2, list[FaceBox]]]
"""Width and motion to the true path and a detection of every frame."""


def main(detector: str = "faces_haar") -> None:
    """Measure, print and record."""
    settings = Settings()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedTriton([detector], run_dir=Path(folder)) as server,
        TritonConnection(server.grpc_url, control_timeout_s=settings.triton.control_timeout_s) as connection,
    ):
        faces = TritonFaces(connection, detector, settings.triton.faces_timeout_s)
        seen: Seen = {
            (width, motion): _watch(faces, moving_face(motion, SECONDS, width))
            for width in WIDTHS_PX
            for motion in MOTIONS
        }
        sample = _watch_sample(faces, settings)
    console = Console(width=170)
    noise = _tell_noise(console, seen)
    _tell_process_noise(console, seen, settings)
    reductions = _tell_motions(console, seen, settings)
    reductions["the sample clip"] = _tell_sample(console, sample, settings)
    slow = [motion for motion in reductions if motion not in FAST]
    record(
        {
            "lips.detector_noise_centre": noise[0],
            "lips.detector_noise_width": noise[1],
            "lips.jitter_reduction": float(np.median([reductions[motion] for motion in slow])),
            "lips.jitter_reduction_paper": PAPER_REDUCTION,
            "lips.worst_lag_ms": max(abs(_lag(seen, motion, settings)) for motion in FAST),
        }
    )


def _watch(faces: TritonFaces, path: MovingFace) -> tuple[Path2, list[FaceBox]]:
    truth = np.stack([path.x, path.y, np.log(path.width)], axis=1)
    shown = list(pictures(path))
    found = [rows for begin in range(0, len(shown), 8) for rows in faces.detect(np.stack(shown[begin : begin + 8]))]
    return truth, [_nearest(rows, x, y) for rows, x, y in zip(found, path.x, path.y, strict=True)]


def _nearest(rows: np.ndarray, x: float, y: float) -> FaceBox:
    if not len(rows):
        raise SystemExit("the detector lost the face: nothing can be said of its noise")
    far = np.hypot((rows[:, 0] + rows[:, 2]) / 2 - x, (rows[:, 1] + rows[:, 3]) / 2 - y)
    return FaceBox(*rows[np.argmin(far)].tolist())


def _watch_sample(faces: TritonFaces, settings: Settings) -> list[FaceBox]:
    clip = probe(SAMPLE, settings.media)
    finder = FaceFinder(faces, clip, settings.visual, EngineRetry(settings.visual))
    found = [finder.find([finder.picture(frame)], [frame])[0] for _, _, frame in read_frames(SAMPLE, clip)]
    return [max(boxes, key=lambda box: box.width) for boxes in found]


def _tell_noise(console: Console, seen: Seen) -> tuple[float, float]:
    """Print the detector's error; return the medians of the centre's and the width's standard deviation."""
    table = Table(title="detector: standard deviation of the error, in box widths")
    for column in ("face", "motion", "centre x", "centre y", "width", "width's / centre's"):
        table.add_column(column, justify="left" if column == "motion" else "right")
    deviations = {key: errors(path_of(boxes), truth).std(axis=0) for key, (truth, boxes) in seen.items()}
    for (width, motion), (x, y, size) in deviations.items():
        ratio = size / np.hypot(x, y) * np.sqrt(2)
        table.add_row(f"{width:.0f} px", motion, f"{x:.4f}", f"{y:.4f}", f"{size:.4f}", f"{ratio:.1f}")
    console.print(table)
    every = np.array(list(deviations.values()))
    return float(np.median(every[:, :2])), float(np.median(every[:, 2]))


def _tell_process_noise(console: Console, seen: Seen, settings: Settings) -> None:
    table = Table(title="error of the steadied centre by kalman_process_noise, RMS in box widths")
    table.add_column("motion")
    for noise in PROCESS_NOISES:
        table.add_column(f"{noise:g}", justify="right")
    for motion in MOTIONS:
        truth, boxes = seen[TABLE_WIDTH_PX, motion]
        row = []
        for noise in PROCESS_NOISES:
            visual = settings.visual.model_copy(update={"kalman_process_noise": noise})
            off = errors(steadied(boxes, visual.detect_every_frames, visual), truth)[:, _axis(truth)]
            row.append(f"{np.sqrt(np.mean(off**2)):.4f}")
        table.add_row(motion, *row)
    console.print(table)


def _tell_motions(console: Console, seen: Seen, settings: Settings) -> dict[str, float]:
    """Print jitter, error and lag; return by how much the track reduces the centre's jitter."""
    every = settings.visual.detect_every_frames
    table = Table(
        title=f"centre along the motion, a {TABLE_WIDTH_PX:.0f} px face, in box widths; detected: every frame"
    )
    table.add_column("motion")
    for what in ("jitter", "error, RMS", "largest error"):
        for way in ("detected", f"lines, 1 of {every}", f"track, 1 of {every}"):
            table.add_column(f"{what}: {way}", justify="right")
    table.add_column("lag", justify="right")
    reductions = {}
    for motion in MOTIONS:
        truth, boxes = seen[TABLE_WIDTH_PX, motion]
        axis = _axis(truth)
        paths = (path_of(boxes), held(boxes, every), steadied(boxes, every, settings.visual))
        offs = [errors(path, truth) for path in paths]
        shakes = [jitter(off)[axis] for off in offs]
        reductions[motion] = float(1 - shakes[2] / shakes[0])
        row = [
            *shakes,
            *(np.sqrt(np.mean(off[:, axis] ** 2)) for off in offs),
            *(abs(off[:, axis]).max() for off in offs),
        ]
        late = f"{_lag(seen, motion, settings):.1f} ms" if motion in FAST else "-"
        table.add_row(motion, *(f"{value:.4f}" for value in row), late)
    console.print(table)
    for motion, reduction in reductions.items():
        console.print(f"jitter, {motion}: {reduction:+.0%} (paper: {PAPER_REDUCTION:.0%})")
    return reductions


def _tell_sample(console: Console, boxes: list[FaceBox], settings: Settings) -> float:
    before = roughness(path_of(boxes))
    after = roughness(steadied(boxes, settings.visual.detect_every_frames, settings.visual))
    told = ", ".join(
        f"{name} {old:.4f} -> {new:.4f} ({1 - new / old:.0%})"
        for name, old, new in zip(("x", "y", "width"), before, after, strict=True)
    )
    console.print(f"roughness of the sample clip's boxes, RMS second difference in box widths: {told}")
    return float(1 - np.hypot(*after[:2]) / np.hypot(*before[:2]))


def _lag(seen: Seen, motion: str, settings: Settings) -> float:
    truth, boxes = seen[TABLE_WIDTH_PX, motion]
    axis = _axis(truth)
    path = steadied(boxes, settings.visual.detect_every_frames, settings.visual)
    return lag_ms(path[:, axis], truth[:, axis])


def _axis(truth: Path2) -> int:
    """0 when the face moves to the side, else 1."""
    return int(np.argmax(np.ptp(truth[:, :2], axis=0)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="faces_haar", help="a faces engine of the model repository")
    main(parser.parse_args(sys.argv[1:]).detector)
