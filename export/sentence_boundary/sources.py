"""Documents of the unpacked packages: plain paragraphs with the document and the language that they come from."""

import gettext
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from export.sentence_boundary.packages import Unpacked


@dataclass(frozen=True)
class Document:
    """One source of text; the unit that is either trained on or tested on."""

    group: str
    """Kind of source; every group is split by itself."""
    name: str
    language: str
    """ISO 639-1."""
    paragraphs: tuple[str, ...]


def documents(unpacked: Unpacked) -> Iterator[Document]:
    """Read all documents of a package, in a fixed order."""
    name, root = unpacked.package.name, unpacked.root
    if name.startswith("fortune"):
        yield from _fortunes(name, root)
    elif name.startswith("sword-text"):
        yield from _sword(root, "es" if name.endswith("sparv") else "en")
    elif name.startswith("wesnoth"):
        yield from _catalogues(root)
    else:
        yield from _pages(name, root)


def _fortunes(package: str, root: Path) -> Iterator[Document]:
    language = "es" if package.endswith("-es") else "en"
    for path in sorted(root.glob("usr/share/games/fortunes/**/*")):
        if path.is_symlink() or not path.is_file() or path.suffix in (".dat", ".u8") or path.parent.name == "off":
            continue  # off: texts that offend, rotated by 13 letters
        entries = re.split(r"^%\n", path.read_text("utf-8", "replace"), flags=re.MULTILINE)
        cut = [re.split(r"^\s*--|\n\s*\[", entry, maxsplit=1, flags=re.MULTILINE)[0] for entry in entries]
        yield Document(f"fortunes {language}", f"{package}/{path.name}", language, tuple(_joined(each) for each in cut))


def _sword(root: Path, language: str) -> Iterator[Document]:
    """Read a SWORD module: books compressed one by one, indexed by *.bzs (offset, size, unpacked size), OSIS markup."""
    for index in sorted(root.glob("usr/share/sword/modules/texts/ztext/*/*.bzs")):
        packed = index.with_suffix(".bzz").read_bytes()
        for number, (start, size, _) in enumerate(struct.iter_unpack("<III", index.read_bytes())):
            book = zlib.decompress(packed[start : start + size]).decode("utf-8")
            book = re.sub(r"<(title|note)\b[^>]*?(/>|>.*?</\1>)", " ", book, flags=re.DOTALL)
            chapters = [_joined(re.sub(r"<[^>]+>", "", chapter)) for chapter in re.split(r"<chapter\b", book)]
            plain = tuple(chapter.split(">", 1)[-1] for chapter in chapters)
            yield Document(f"bible {language}", f"bible/{index.stem}{number}", language, plain)


def _catalogues(root: Path) -> Iterator[Document]:
    """Read the Spanish catalogue of a Wesnoth campaign: English keys, Spanish values."""
    for path in sorted(root.glob("usr/share/games/wesnoth/*/locale/es/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
        pairs = [(key, value) for key, value in catalogue.items() if isinstance(key, str) and key]
        keys = [re.sub(r"^[^^]{0,40}\^", "", key.split("\x04")[-1]) for key, _ in pairs]
        for language, texts in (("en", keys), ("es", [value for _, value in pairs])):
            lines = tuple(_joined(line) for text in texts for line in text.split("\n"))
            yield Document(f"wesnoth {language}", f"{path.stem}/{language}", language, lines)


_PAGES = {
    "gnome-user-docs": {"en": "usr/share/help/C/gnome-help/*.page", "es": "usr/share/help/es/gnome-help/*.page"},
    "debian-handbook": {
        "en": "usr/share/doc/debian-handbook/html/en-US/*.html",
        "es": "usr/share/doc/debian-handbook/html/es-ES/*.html",
    },
    "aptitude-doc-es": {"es": "usr/share/doc/aptitude/html/es/*.html"},
    "lilypond-doc-html-es": {"es": "usr/share/doc/lilypond/html/Documentation/*/*.es.html"},
}


def _pages(package: str, root: Path) -> Iterator[Document]:
    for language, pattern in _PAGES[package].items():
        for path in sorted(root.glob(pattern)):
            reader = _Paragraphs()
            reader.feed(path.read_text("utf-8", "replace"))
            yield Document(
                f"{package} {language}",
                f"{package}/{path.name}",
                language,
                tuple(text for text in reader.found if _is_in(text, language)),
            )


class _Paragraphs(HTMLParser):
    """Collects the text of <p> (DocBook: <div class="para">); one with code or a list in it is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a paragraph, or spoil the one that is open."""
        if tag == "p" or (tag == "div" and ("class", "para") in attrs):
            self._open = []
        elif tag in ("code", "tt", "pre", "cmd", "input", "ul", "ol", "img"):
            self._open = None

    def handle_endtag(self, tag: str) -> None:
        """End a paragraph."""
        if tag in ("p", "div") and self._open is not None:
            self.found.append(_joined("".join(self._open)))
            self._open = None

    def handle_data(self, data: str) -> None:
        """Take the text of a paragraph."""
        if self._open is not None:
            self._open.append(data)


_COMMON = {"en": {"the", "and", "of", "to", "is", "you"}, "es": {"de", "la", "que", "el", "los", "en", "y", "se"}}


def _is_in(text: str, language: str) -> bool:
    """Whether a page's paragraph is in its page's language: translations are not always whole."""
    words = text.lower().split()
    seen = {code: sum(word in common for word in words) for code, common in _COMMON.items()}
    return seen[language] == max(seen.values())


def _joined(text: str) -> str:
    return " ".join(text.split())
