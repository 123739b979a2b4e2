"""What the exporter must know of Whisper."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from export.bundle.family import BundleFamily, Progress
from export.bundle.graph import Graph
from export.bundle.measure import GateRecord
from export.bundle.published import Published, read_folder
from export.checkpoint import load_strict
from export.parity import Runner
from export.whisper.gate import check
from export.whisper.generation import generation_settings
from export.whisper.graphs import graphs
from export.whisper.names import untied
from export.whisper.network import Whisper
from export.whisper.openai_file import read_openai_file
from export.whisper.settings import SIZES, WhisperSettings, settings_of_config, settings_of_dims
from export.whisper.synth import synthesise
from export.whisper.tokenizer_files import TOKENIZER
from export.whisper.vocabulary import read_vocabulary

_MODEL_TYPE = "whisper"


class WhisperFamily(BundleFamily):
    """Every size, multilingual and English-only, from folders and from openai's files."""

    name = "whisper"
    licence = "The published Whisper weights are under the MIT licence (OpenAI); the folders name Apache-2.0."
    source = (
        "Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision; github.com/openai/whisper"
    )
    published_files = ("a folder of openai/whisper-*", "*.pt of openai-whisper")
    precisions = ("fp32", "int8")
    sizes = tuple(SIZES)
    sources = 64
    """Random inputs that the gate compares."""

    def read(self, path: Path) -> Published:
        """Tell folder and file apart by what lies there."""
        if path.is_dir():
            return read_folder(path, (_MODEL_TYPE,))
        return read_openai_file(path)

    def triton_model(self, published: Published) -> str:
        """Return the task's engine: its versions may be of any size."""
        return "stt_whisper"

    def load(self, published: Published) -> nn.Module:
        """Read the sizes, then the weights."""
        return load_strict(Whisper(_settings(published)), untied(published.state))

    def graphs(self, module: nn.Module) -> Sequence[Graph]:
        """Return encoder and decoder."""
        assert isinstance(module, Whisper)
        return graphs(module)

    def write_files(self, published: Published, folder: Path) -> None:
        """Write generation.json and tokenizer.json."""
        settings = _settings(published)
        vocabulary = read_vocabulary(published, settings)
        content = json.dumps(generation_settings(settings, vocabulary), indent=2)
        (folder / "generation.json").write_text(content + "\n", encoding="utf-8")
        (folder / TOKENIZER).write_text(vocabulary.tokenizer.to_str(), encoding="utf-8")

    def gate(
        self,
        published: Published,
        run: Mapping[str, Runner],
        folder: Path,
        precision: str,
        seed: int,
        progress: Progress,
    ) -> GateRecord:
        """Compare with transformers, or with openai-whisper."""
        settings = _settings(published)
        vocabulary = read_vocabulary(published, settings)
        return check(published, settings, vocabulary, run, precision, seed, self.sources, progress)

    def synth(self, out: Path, seed: int, size: str) -> None:
        """A name that ends in .pt is an openai file, any other a folder."""
        synthesise(out, seed, size)


def _settings(published: Published) -> WhisperSettings:
    if published.path.is_dir():
        return settings_of_config(published.settings)
    return settings_of_dims(published.settings)


FAMILY = WhisperFamily()
