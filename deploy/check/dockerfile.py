"""Reads a Dockerfile as far as the checks need it."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_CONTINUED = re.compile(r"\\\n")
_COMMENT = re.compile(r"^\s*#.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Copy:
    """One COPY from the build context."""

    sources: tuple[str, ...]
    target: str


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    """Image, or an earlier stage's name."""
    name: str
    copies: list[Copy] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    user: str = ""
    ports: list[int] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Dockerfile:
    """The stages in order."""

    path: Path
    stages: tuple[Stage, ...]

    @property
    def copies(self) -> list[Copy]:
        """All copies from the build context."""
        return [copy for stage in self.stages for copy in stage.copies]

    def images(self) -> list[str]:
        """Return the images that stages are based on."""
        names = {stage.name for stage in self.stages}
        return [stage.base for stage in self.stages if stage.base not in names]

    def target(self, name: str = "") -> Stage:
        """Return a stage with what it inherits, the last one by default; KeyError when there is none of that name."""
        by_name = {stage.name: stage for stage in self.stages if stage.name}
        stage = by_name[name] if name else self.stages[-1]
        if stage.base not in by_name:
            return stage
        base = self.target(stage.base)
        return Stage(
            base=base.base,
            name=stage.name,
            copies=[*base.copies, *stage.copies],
            variables=base.variables | stage.variables,
            user=stage.user or base.user,
            ports=[*base.ports, *stage.ports],
            entrypoint=stage.entrypoint or base.entrypoint,
            command=stage.command or base.command,
        )


def read_dockerfile(path: Path) -> Dockerfile:
    """Parse the instructions that say something about the result; ValueError for one in a form we do not use."""
    text = _CONTINUED.sub(" ", _COMMENT.sub("", path.read_text(encoding="utf-8")))
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base=base.strip(), name=name.strip()))
        else:
            _take(stages[-1], keyword, rest.strip())
    return Dockerfile(path, tuple(stages))


def _take(stage: Stage, keyword: str, rest: str) -> None:
    if keyword == "COPY":
        words = shlex.split(rest)
        if not words[0].startswith("--"):
            stage.copies.append(Copy(tuple(words[:-1]), words[-1]))
        elif not words[0].startswith("--from="):
            raise ValueError(f"COPY {words[0]} is not understood here")
    elif keyword == "ENV":
        stage.variables |= dict(word.split("=", 1) for word in shlex.split(rest))
    elif keyword == "USER":
        stage.user = rest
    elif keyword == "EXPOSE":
        stage.ports += [int(port) for port in rest.split()]
    elif keyword == "ENTRYPOINT":
        stage.entrypoint = json.loads(rest)
    elif keyword == "CMD":
        stage.command = json.loads(rest)
