"""Readers of the packages, each on a tiny package made here."""

import struct
import zlib
from pathlib import Path

import pytest

from export.sentence_boundary.packages import Package, Unpacked
from export.sentence_boundary.sources import documents


@pytest.fixture
def unpacked(tmp_path):
    def make(package: str, files: dict[str, bytes]) -> list:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return list(documents(Unpacked(Package(package, "free"), "1", "0", tmp_path)))

    return make


def test_fortunes_are_entries_without_their_authors(unpacked):
    text = "To be,\nor not.\n\t\t-- Somebody\n%\nAnother one.\n%\n"
    folder = "usr/share/games/fortunes/"
    [found] = unpacked(
        "fortunes", {folder + "people": text.encode(), folder + "people.dat": b"\x00", folder + "off/x": b"x"}
    )
    assert found.paragraphs == ("To be, or not.", "Another one.", "")
    assert (found.language, found.name) == ("en", "fortunes/people")


def test_a_bible_is_its_chapters_without_markup_and_notes(unpacked):
    osis = '<title>Mark</title><chapter n="1"/><w l="x">The</w> beginning.<note>or: start</note> It <w>was</w> so.'
    packed = zlib.compress(osis.encode())
    folder = "usr/share/sword/modules/texts/ztext/web/"
    index = struct.pack("<III", 0, len(packed), len(osis))
    [found] = unpacked("sword-text-web", {folder + "nt.bzs": index, folder + "nt.bzz": packed})
    assert [text for text in found.paragraphs if text] == ["The beginning. It was so."]


def catalogue(pairs: dict[str, str]) -> bytes:
    """Write a compiled gettext catalogue: header, two tables of lengths and offsets, the texts."""
    texts = [list(pairs), list(pairs.values())]
    start = 28 + 16 * len(pairs)
    body, tables = b"", []
    for side in texts:
        for text in side:
            tables.append(struct.pack("<II", len(text.encode()), start + len(body)))
            body += text.encode() + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + b"".join(tables) + body


def test_a_catalogue_gives_both_languages(unpacked):
    pairs = {"": "Content-Type: text/plain; charset=UTF-8\n", "female^Who goes there?\nStop!": "¿Quién va?\n¡Alto!"}
    name = "usr/share/games/wesnoth/1.16/locale/es/LC_MESSAGES/wesnoth-x.mo"
    english, spanish = unpacked("wesnoth-1.16-x", {name: catalogue(dict(sorted(pairs.items())))})
    assert (english.language, english.paragraphs) == ("en", ("Who goes there?", "Stop!"))
    assert (spanish.language, spanish.paragraphs) == ("es", ("¿Quién va?", "¡Alto!"))


def test_pages_give_paragraphs_without_code_in_their_own_language(unpacked):
    page = "<title>T</title><p>Haga\n clic en el <gui>botón</gui>.</p><p>Use <code>x</code>.</p><p>Not the one.</p>"
    found = unpacked("gnome-user-docs", {"usr/share/help/es/gnome-help/a.page": page.encode()})
    assert [(each.language, each.paragraphs) for each in found] == [("es", ("Haga clic en el botón.",))]


def test_documents_come_in_a_fixed_order(unpacked):
    folder = Path("usr/share/games/fortunes")
    found = unpacked("fortunes", {str(folder / name): b"A." for name in ("c", "a", "b")})
    assert [each.name[-1] for each in found] == ["a", "b", "c"]
