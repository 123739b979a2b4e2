"""The Dockerfiles: linted, and held against the checkout."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.check.commands import POLYLIP, check_command
from deploy.check.dockerfile import Dockerfile, read_dockerfile
from deploy.check.environment import check_variables
from orchestrator.settings import EngineSettings

FOLDER = Path("deploy/images")
APP = FOLDER / "app.Dockerfile"
TRITON = FOLDER / "triton.Dockerfile"
TRITON_BASE = "nvcr.io/nvidia/tritonserver"
OLDEST_TRITON = (26, 4)
"""Earlier servers have CVE-2026-24207."""

TARGETS = {"polylip-app": (APP, ""), "polylip-triton-cpu": (TRITON, "cpu"), "polylip-triton-gpu": (TRITON, "gpu")}
"""What is built of them."""


def engine_variables() -> dict[str, str]:
    """Return the default engines as the variables that name them."""
    return {f"POLYLIP_ENGINES__{task.upper()}": name for task, name in EngineSettings().model_dump().items()}


def check_images(root: Path) -> Iterator[str]:
    """Yield a line for each finding."""
    paths = sorted((root / FOLDER).glob("*.Dockerfile"))
    yield from _lint(root, paths)
    for path in paths:
        dockerfile = read_dockerfile(path)
        where = str(path.relative_to(root))
        yield from _check_bases(where, dockerfile)
        yield from _check_copies(root, where, dockerfile)
    for name, (file, target) in TARGETS.items():
        stage = read_dockerfile(root / file).target(target)
        where = f"{file} ({name})"
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", stage.user):
            yield f"{where}: runs as {stage.user or 'root'!r}; Kubernetes can check numbers only, and root is refused"
        yield from check_variables(where, stage.variables)
        variables = engine_variables() | stage.variables
        yield from check_command(where, stage.entrypoint, stage.command, variables)
        if stage.entrypoint == POLYLIP and not stage.command:
            yield f"{where}: no default command"


def pinned(image: str) -> bool:
    """Tell whether an image has a tag that names a version, and not only its first number."""
    tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
    return bool(re.match(r"\d+\.\d+", tag))


def _lint(root: Path, paths: list[Path]) -> Iterator[str]:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--no-color", "--config", str(root / ".hadolint.yaml"), *map(str, paths)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if answer.returncode:
        yield from filter(None, (answer.stdout + answer.stderr).splitlines())


def _check_bases(where: str, dockerfile: Dockerfile) -> Iterator[str]:
    for image in dockerfile.images():
        if not pinned(image):
            yield f"{where}: the tag of {image} names no version"
        name, _, tag = image.partition(":")
        if name == TRITON_BASE:
            release = re.match(r"(\d+)\.(\d+)-", tag)
            if release is None or tuple(map(int, release.groups())) < OLDEST_TRITON:
                yield f"{where}: {image} is older than 26.04 (CVE-2026-24207)"


def _check_copies(root: Path, where: str, dockerfile: Dockerfile) -> Iterator[str]:
    ignore = dockerfile.path.with_name(dockerfile.path.name + ".dockerignore")
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    if "*" not in lines:
        yield f"{where}: {ignore.name} must leave out everything (*) but what is copied"
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for copy in dockerfile.copies:
        for source in copy.sources:
            if not (root / source).exists():
                yield f"{where}: COPY {source}: there is no such file"
            if not any(source == each or source.startswith(f"{each}/") for each in kept):
                yield f"{where}: COPY {source}: left out by {ignore.name}"
