import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from export.errors import NotInstalled, VersionExists
from export.install import staging, versions, write_file

FILL_THE_DISK = """
import sys
from pathlib import Path
from export.errors import NotInstalled
from export.install import staging, write_file
repository = Path(sys.argv[1])
for action in ("staging", "write_file"):
    try:
        if action == "write_file":
            write_file(repository / "weights.pth", bytes(100_000))
        with staging(repository, "m", None) as room:
            (room.folder / "model.onnx").write_bytes(bytes(100_000))
            room.install()
    except NotInstalled as error:
        print(error)
"""


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def install(repository: Path, version: int | None = None) -> int:
    with staging(repository, "m", version) as room:
        (room.folder / "model.onnx").write_text("graph")
        (room.work / "scratch").write_text("more")
        room.install()
        return room.version


def test_a_version_appears_as_a_whole_and_nothing_beside_it(repository):
    with staging(repository, "m", 3) as room:
        (room.folder / "model.onnx").write_text("graph")
        assert versions(repository / "m") == []
        assert room.install() == repository / "m" / "3"
    assert everything(repository) == {"m", "m/3", "m/3/model.onnx"}


def test_without_a_number_it_is_the_next_one(repository):
    assert [install(repository), install(repository, 7), install(repository), install(repository, 2)] == [1, 7, 8, 2]
    (repository / "m" / "configs").mkdir()
    (repository / "m" / "99").write_text("a file")
    assert versions(repository / "m") == [1, 2, 7, 8]


def test_a_version_is_never_overwritten(repository):
    install(repository, 4)
    before = everything(repository)
    with pytest.raises(VersionExists, match=r"version 4 already \(there are 4\)"), staging(repository, "m", 4):
        pytest.fail("it must not begin")
    assert everything(repository) == before


def test_of_two_exports_at_once_the_later_one_is_refused(repository):
    with pytest.raises(VersionExists), staging(repository, "m", 1) as room:
        (room.folder / "model.onnx").write_text("late")
        (repository / "m" / "1").mkdir()
        (repository / "m" / "1" / "model.onnx").write_text("early")
        room.install()
    assert (repository / "m" / "1" / "model.onnx").read_text() == "early"
    assert everything(repository) == {"m", "m/1", "m/1/model.onnx"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_whatever_ends_the_work_leaves_nothing(repository, error):
    with pytest.raises(error), staging(repository, "m", None) as room:
        (room.folder / "model.onnx").write_text("half")
        raise error
    assert everything(repository) == set()


def test_a_model_that_was_there_keeps_its_files(repository):
    (repository / "m").mkdir()
    (repository / "m" / "config.pbtxt").write_text("")
    with pytest.raises(RuntimeError), staging(repository, "m", None):
        raise RuntimeError
    assert everything(repository) == {"m", "m/config.pbtxt"}


def test_a_full_disk_is_an_error_and_leaves_nothing(repository):
    def no_large_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    command = [sys.executable, "-B", "-c", FILL_THE_DISK, str(repository)]
    done = subprocess.run(command, preexec_fn=no_large_files, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == f"version 1 of m cannot be written into {repository}: File too large"
    assert second == f"{repository / 'weights.pth'} cannot be written: File too large"
    assert everything(repository) == set()


def test_a_repository_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotInstalled, match="there is no model repository"), staging(tmp_path / "nowhere", "m", None):
        pytest.fail("it must not begin")


def test_what_a_killed_export_left_is_removed_and_a_living_ones_room_is_not(repository):
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    for process in (died.pid, os.getppid()):
        (repository / "m" / f".export-{process}" / "version").mkdir(parents=True)
    install(repository)
    assert everything(repository) == {
        "m",
        "m/1",
        "m/1/model.onnx",
        f"m/.export-{os.getppid()}",
        f"m/.export-{os.getppid()}/version",
    }


def test_a_file_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "weights.pth").write_text("old")
    write_file(tmp_path / "weights.pth", b"new")
    assert (tmp_path / "weights.pth").read_bytes() == b"new"
    with pytest.raises(NotInstalled, match="cannot be written: No such file or directory"):
        write_file(tmp_path / "nowhere" / "weights.pth", b"new")
    assert everything(tmp_path) == {"weights.pth"}
