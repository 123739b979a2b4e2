"""The set-up script and the Makefile, on a copy of the checkout in which every tool is a stand-in."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.triton.embedded import CHECKOUT

LISTS = ("pyproject.toml", "constraints.txt", "deploy/triton/requirements.txt", "deploy/triton/constraints.txt")
SHELL_TOOLS = ("bash", "cat", "cp", "cut", "dirname", "flock", "id", "mkdir", "rm", "sha256sum", "tail")
PYTHON = """case "$*" in
"-I -") echo "$0" ;;
"-m venv --clear "*) mkdir -p "${@: -1}/bin" && cp "$0" "${@: -1}/bin/python" ;;
*) exit 0 ;;
esac"""
"""Answers the search for a Python with itself, makes environments that hold a copy of it, and agrees to the rest."""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def stamp(checkout: Path, *names: str) -> str:
    return hashlib.sha256(b"".join((checkout / name).read_bytes() for name in names)).hexdigest()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy whose environments look made; `polylip` prints its arguments, one a line."""
    copy = tmp_path / "a checkout"
    for name in ("Makefile", "deploy/setup.sh", *LISTS):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, copy / name)
    for folder in (".venv", ".venv-triton"):
        script(copy / folder / "bin" / "python", "exit 0")
    script(copy / ".venv" / "bin" / "polylip", "printf '%s\\n' \"$@\"")
    (copy / ".venv" / ".setup-stamp").write_text(f"{stamp(copy, *LISTS[:2])} test\n")
    (copy / ".venv-triton" / ".setup-stamp").write_text(f"{stamp(copy, *LISTS[2:])}\n")
    return copy


def run(command: Sequence[str], checkout: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    # Of make's own variables none is passed on: these tests run inside `make test`.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment |= {"PATH": str(path)} if path else {}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def only_shell_tools(folder: Path) -> Path:
    """A PATH without apt, sudo and all that set-up would install."""
    folder.mkdir()
    for tool in SHELL_TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return folder


@pytest.mark.parametrize("level", ["run", "export", "test"])
def test_a_second_run_with_nothing_changed_does_nothing(checkout: Path, level: str) -> None:
    done = run(["deploy/setup.sh", level], checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_apt_it_says_exactly_what_to_install(checkout: Path, tmp_path: Path) -> None:
    done = run(["deploy/setup.sh", "test"], checkout, only_shell_tools(tmp_path / "bin"))
    assert done.returncode == 1
    assert "there is no apt-get here" in done.stderr
    assert {"erlang-base", "espeak-ng", "flite", "apertium", "chromium"} <= set(done.stderr.split())


@pytest.mark.parametrize("changed", LISTS)
def test_a_changed_list_makes_its_environment_anew_and_no_other(checkout: Path, tmp_path: Path, changed: str) -> None:
    tools = only_shell_tools(tmp_path / "bin")
    for tool in ("epmd", "espeak-ng", "flite", "apertium"):
        script(tools / tool, "exit 0")
    script(tools / "python3", PYTHON)
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    done = run(["deploy/setup.sh", "run"], checkout, tools)
    made = {word for line in done.stderr.splitlines() if "is ready" in line for word in line.split()}
    assert done.returncode == 0, done.stderr
    assert (".venv" in made, ".venv-triton" in made) == (changed in LISTS[:2], changed in LISTS[2:])
    assert run(["deploy/setup.sh", "run"], checkout, tools).stderr == ""
    level = (checkout / ".venv" / ".setup-stamp").read_text().split()[1]
    assert level == "test", "what was installed for the tests is installed again for a run"


def test_an_environment_that_could_not_be_made_is_tried_again(checkout: Path, tmp_path: Path) -> None:
    tools = only_shell_tools(tmp_path / "bin")
    for tool in ("epmd", "espeak-ng", "flite", "apertium"):
        script(tools / tool, "exit 0")
    script(tools / "python3", PYTHON.replace("*) exit 0", "*) echo no such package; exit 1"))
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    for _ in range(2):
        done = run(["deploy/setup.sh", "run"], checkout, tools)
        assert done.returncode == 1
        assert "no such package" in done.stderr


def test_the_demo_takes_names_with_blanks_and_quotes(checkout: Path) -> None:
    done = run(["make", "-s", "demo", "CLIP=my clip's.mp4", "TARGET=de", "OUT=out/it is $$here"], checkout)
    assert done.stdout.splitlines() == ["demo", "--clip", "my clip's.mp4", "--to", "de", "--out", "out/it is $here"]


def test_the_demo_without_a_clip_leaves_the_choice_to_the_command(checkout: Path) -> None:
    done = run(["make", "-s", "demo"], checkout)
    assert done.stdout.splitlines() == ["demo", "--to", "es", "--out", "out/demo"]


def test_make_alone_lists_its_targets(checkout: Path) -> None:
    listed = run(["make", "-s"], checkout).stdout
    assert all(f"make {target} " in listed for target in ("setup", "demo", "serve", "down", "test", "check", "bench"))
