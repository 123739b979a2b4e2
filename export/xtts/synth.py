"""Random XTTS-v2 folders in the published format, where the published files are out of reach."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from export.bundle.published import CONFIG
from export.errors import NotInstalled
from export.install import write_file
from export.xtts.constants import with_constants
from export.xtts.names import with_weight_norms
from export.xtts.network import Xtts
from export.xtts.published import WEIGHTS
from export.xtts.settings import XttsSettings, languages_of, settings_of
from export.xtts.synth_config import config_of
from export.xtts.synth_vocabulary import invented_vocabulary
from export.xtts.synth_weights import invented_voices, random_network
from export.xtts.vocabulary import VOCABULARY, text_tokens
from export.xtts.voices import SPEAKERS


@dataclass(frozen=True)
class Size:
    """What differs between the published network and the small one."""

    layers: int
    width: int
    heads: int
    text_tokens: int


SIZES: Mapping[str, Size] = {"full": Size(30, 1024, 16, 6681), "reduced": Size(2, 64, 2, 512)}
"""HiFi-GAN and the speaker encoder have one size in all XTTS-v2: a reduced folder has 85 MB all the same."""


def synthesise(out: Path, seed: int, size: str) -> None:
    """Write a folder. Same seed, same weights.

    Raises:
        ValueError: there is no such size.
        NotInstalled: it cannot be written.
    """
    if size not in SIZES:
        raise ValueError(f"there are the sizes {', '.join(SIZES)}, not {size!r}")
    tokenizer = invented_vocabulary(SIZES[size].text_tokens)
    config = config_of(SIZES[size].layers, SIZES[size].width, SIZES[size].heads, SIZES[size].text_tokens)
    settings = settings_of(config, text_tokens(tokenizer, languages_of(config)))
    network = random_network(settings, seed)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        _write(partial, config, settings, tokenizer, network)
        partial.rename(out)
    except (OSError, RuntimeError) as error:  # torch.save says RuntimeError of a full disk
        raise NotInstalled(f"{out} cannot be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def published_state(network: Xtts) -> dict[str, Tensor]:
    """Return the network's tensors as model.pth has them."""
    return with_constants(with_weight_norms(network.state_dict()))


def _write(
    folder: Path, config: Mapping[str, object], settings: XttsSettings, tokenizer: Tokenizer, network: Xtts
) -> None:
    write_file(folder / CONFIG, json.dumps(config, indent=4).encode())
    write_file(folder / VOCABULARY, tokenizer.to_str(pretty=True).encode())
    torch.save({"config": dict(config), "model": published_state(network)}, folder / WEIGHTS)
    torch.save(invented_voices(network), folder / SPEAKERS)
