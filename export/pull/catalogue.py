"""Where each family's published checkpoints lie, which files of them are needed, and under which licence.

Hashes stand here where they are known from elsewhere than the place of download. Where each comes from:

- Wav2Lip: the authors' own links (their README) have moved twice. The two files live on in mirrors; size and SHA-256
  of both are the ones that several unrelated public projects check their downloads against.
- S3FD: the file name carries the first digits of its SHA-256, as is the custom of torch.hub; the whole is public too.
- Whisper's .pt files: the SHA-256 is part of the address in openai-whisper's own source.
- Folders of the hub (Whisper, Opus-MT, XTTS-v2): the hub states the hash of every file, and the first pull pins it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from export.errors import UnknownName
from export.pull.addresses import HubSource, Source, UrlSource
from export.pull.errors import SourceRefused
from export.pull.files import Digest


@dataclass(frozen=True)
class Wanted:
    """Which files of a source make a checkpoint."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Taken where they are there."""
    weights: bool = False
    """Also the weights of a folder: one file or shards, safetensors before pickles."""

    @property
    def is_folder(self) -> bool:
        """Whether the exporter is given the folder, else the one file that is needed."""
        return self.weights or len(self.needed) != 1


@dataclass(frozen=True)
class Pin:
    """What a published file is known to be."""

    size_bytes: int | None
    sha256: str

    @property
    def digest(self) -> Digest:
        """As a hash to compare with."""
        return Digest("sha256", self.sha256)


@dataclass(frozen=True)
class Checkpoint:
    """One published checkpoint; its sources are tried in order."""

    family: str
    variant: str
    sources: tuple[Source, ...]
    wanted: Wanted
    licence: str
    """Identifier in client/licences."""
    pin: Pin | None = None
    """Of the one file, where it is one."""


@dataclass(frozen=True)
class Entry:
    """All that is published of a family."""

    variants: Mapping[str, tuple[tuple[Source, ...], Pin | None]]
    default: str
    licence: str
    wanted: Wanted | None
    """None: the one file that the source names."""
    pattern: tuple[str, str] = ("", "")
    """Further variants: a pattern, and the repository that its match stands in for {}."""


_TOKENIZER = (
    "generation_config.json", "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json", "vocab.json",
    "merges.txt", "added_tokens.json", "normalizer.json", "preprocessor_config.json", "source.spm", "target.spm",
)  # fmt: skip
FOLDER = Wanted(needed=("config.json",), optional=_TOKENIZER, weights=True)
"""What is taken of a folder in Hugging Face's layout, whatever the family."""
_MARIAN = Wanted(
    needed=("config.json", "source.spm", "target.spm", "vocab.json"),
    optional=("generation_config.json", "tokenizer_config.json"),
    weights=True,
)
_XTTS = Wanted(needed=("model.pth", "config.json", "vocab.json"), optional=("speakers_xtts.pth", "LICENSE.txt"))

_MIRROR = "camenduru/Wav2Lip"
_OPENAI = "https://openaipublic.azureedge.net/main/whisper/models"
_OPENAI_FILES = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}
_WHISPER_FOLDERS = {name: "whisper-large" if name == "large-v1" else f"whisper-{name}" for name in _OPENAI_FILES}


def _mirrored(file: str, *others: Source) -> tuple[Source, ...]:
    return (HubSource(_MIRROR, file=f"checkpoints/{file}"), *others)


CATALOGUE: dict[str, Entry] = {
    "wav2lip": Entry(
        {
            "gan": (
                _mirrored("wav2lip_gan.pth", HubSource("numz/wav2lip_studio", file="Wav2lip/wav2lip_gan.pth")),
                Pin(435_801_865, "ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8"),
            ),
            "plain": (
                _mirrored("wav2lip.pth", HubSource("numz/wav2lip_studio", file="Wav2lip/wav2lip.pth")),
                Pin(435_807_851, "b78b681b68ad9fe6c6fb1debc6ff43ad05834a8af8a62ffc4167b7b34ef63c37"),
            ),
        },
        "gan",
        "LicenseRef-Wav2Lip",
        None,
    ),
    "s3fd": Entry(
        {
            "published": (
                (
                    UrlSource("https://www.adrianbulat.com/downloads/python-fan/s3fd-619a316812.pth"),
                    *_mirrored("s3fd-619a316812.pth"),
                ),
                Pin(89_843_225, "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543"),
            )
        },
        "published",
        "BSD-3-Clause",
        None,
    ),
    "whisper": Entry(
        {
            **{name: ((HubSource(f"openai/{folder}"),), None) for name, folder in _WHISPER_FOLDERS.items()},
            **{
                f"{name}.pt": ((UrlSource(f"{_OPENAI}/{sha256}/{name}.pt"),), Pin(None, sha256))
                for name, sha256 in _OPENAI_FILES.items()
            },
        },
        "base",
        "MIT",
        FOLDER,
    ),
    "marian": Entry(
        {"en-es": ((HubSource("Helsinki-NLP/opus-mt-en-es"),), None)},
        "en-es",
        "CC-BY-4.0",
        _MARIAN,
        (r"(?:tc-big-)?[A-Za-z_]{2,40}-[A-Za-z_]{2,40}", "Helsinki-NLP/opus-mt-{}"),
    ),
    "xtts": Entry({"v2": ((HubSource("coqui/XTTS-v2"),), None)}, "v2", "LicenseRef-CPML", _XTTS),
}


def published(family: str, variant: str | None) -> Checkpoint:
    """Return the published checkpoint of a family; `variant` None: its usual one. Raises UnknownName."""
    entry = entry_of(family)
    name = variant or entry.default
    found = entry.variants.get(name)
    if found is None:
        pattern, template = entry.pattern
        if not pattern or not re.fullmatch(pattern, name):
            raise UnknownName(f"variant of {family}", name, _variants(entry))
        found = ((HubSource(template.format(name)),), None)
    sources, pin = found
    return Checkpoint(family, name, sources, wanted_of(entry, sources[0]), entry.licence, pin)


def elsewhere(family: str, source: Source) -> Checkpoint:
    """Return a checkpoint of a family that lies somewhere else than the catalogue says. UnknownName, SourceRefused."""
    entry = entry_of(family)
    return Checkpoint(family, "", (source,), wanted_of(entry, source), entry.licence)


def entry_of(family: str) -> Entry:
    """Return what is published of a family; UnknownName lists those there are."""
    if family not in CATALOGUE:
        raise UnknownName("family with published checkpoints", family, sorted(CATALOGUE))
    return CATALOGUE[family]


def wanted_of(entry: Entry, source: Source) -> Wanted:
    """Return what is needed of this source: the one file that it names, else what the family's folders have."""
    if source.file is not None:
        return Wanted(needed=(source.file,))
    if entry.wanted is None:
        raise SourceRefused(
            f"{source} is a repository: say which file of it, by an address ending in resolve/main/FILE"
        )
    return entry.wanted


def _variants(entry: Entry) -> list[str]:
    return [*entry.variants, *(["others of that form"] if entry.pattern[0] else [])]
