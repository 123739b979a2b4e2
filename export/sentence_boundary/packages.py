"""Text that Debian packages carry: downloaded with apt, unpacked without being installed."""

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError
from export.sentence_boundary.styles import words


class PackageMissing(ExportError):
    """apt cannot give a package of the corpus."""

    code = "corpus-package-missing"


@dataclass(frozen=True)
class Package:
    """One package of the corpus."""

    name: str
    licence: str
    """Of the text, as the package's `copyright` file states it."""


@dataclass(frozen=True)
class Unpacked:
    """A package on disk."""

    package: Package
    version: str
    sha256: str
    """Of the .deb file."""
    root: Path


_WESNOTH = words("did dm dw ei httt l low nr sof sota sotbe thot trow tsg ttb utbs")
_QUOTES = "quotations, presumed by the package to be in the public domain"

PACKAGES = (
    Package("fortunes", _QUOTES),
    Package("fortunes-min", _QUOTES),
    Package("fortune-anarchism", "public domain"),
    Package("fortunes-es", _QUOTES),
    Package("sword-text-web", "public domain"),
    Package("sword-text-sparv", "public domain"),
    Package("gnome-user-docs", "CC-BY-SA-3.0"),
    Package("debian-handbook", "CC-BY-SA-3.0 or GPL-2+"),
    Package("aptitude-doc-es", "GPL-2+"),
    Package("lilypond-doc-html-es", "GFDL-1.3+"),
    *(Package(f"wesnoth-1.16-{campaign}", "GPL-2+") for campaign in sorted(_WESNOTH)),
)
"""Prose and dialogue in English and Spanish; Wesnoth's campaigns are the nearest to speech, in both languages."""


def fetch(folder: Path) -> Iterator[Unpacked]:
    """Download (what is not in `folder` yet) and unpack all packages; PackageMissing says which could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        deb = _deb(package, folder)
        root = folder / package.name
        if not root.exists():
            _run(["dpkg-deb", "--extract", str(deb), str(root)], package)
        version = _run(["dpkg-deb", "--field", str(deb), "Version"], package).strip()
        yield Unpacked(package, version, hashlib.sha256(deb.read_bytes()).hexdigest(), root)


def _deb(package: Package, folder: Path) -> Path:
    found = sorted(folder.glob(f"{package.name}_*.deb"))
    if not found:
        _run(["apt-get", "download", "-q", package.name], package, folder)
        found = sorted(folder.glob(f"{package.name}_*.deb"))
    if not found:
        raise PackageMissing(f"{package.name}: apt-get left no file")
    return found[-1]


def _run(command: list[str], package: Package, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed programs
    if done.returncode:
        raise PackageMissing(f"{package.name}: {' '.join(command[:2])}: {done.stderr.strip()[-300:]}")
    return done.stdout
