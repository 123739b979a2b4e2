"""Names that a source may not choose, and hashes."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.pull.errors import SourceRefused
from export.pull.files import Digest, checked_path, look_at
from tests.fakes.hub import git_hash


@pytest.mark.parametrize("path", ["model.safetensors", "checkpoints/wav2lip_gan.pth", "a b.txt", "v1/é.json"])
def test_a_name_below_the_folder_stays_as_it_is(path):
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/", "a\\..\\b", "C:x", "a\0b", "a\nb", ".lock",
     "a/.ssh", "x" * 201],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(path):
    with pytest.raises(SourceRefused, match="no name that is written here"):
        checked_path(path)


@given(st.text(st.sampled_from("ab./\\:~ \0\n%"), max_size=12))
def test_what_is_not_refused_stays_below_the_folder(path):
    try:
        found = PurePosixPath("/root") / checked_path(path)
    except SourceRefused:
        return
    assert PurePosixPath("/root") in found.parents
    assert ".." not in found.parts


def test_hashes_are_told_apart_by_their_lengths():
    assert Digest.of_text(f'"{"A" * 64}"') == Digest("sha256", "a" * 64)
    assert Digest.of_text(f'W/"{"b" * 40}"') == Digest("git", "b" * 40)
    assert Digest.of_text('"d41d8cd98f00b204e9800998ecf8427e-7"') is None
    assert Digest.of_text("") is None


def test_a_files_git_hash_is_gits_own(tmp_path):
    (tmp_path / "f").write_bytes(b"what is up, doc?")
    # The example of the chapter on git's objects in Pro Git.
    assert look_at(tmp_path / "f").git == "bd9dbf5aae1a3862dd1526723246b20206e5fc37" == git_hash(b"what is up, doc?")
