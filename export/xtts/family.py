"""What the exporter must know of XTTS-v2."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from export.bundle.family import BundleFamily, Progress
from export.bundle.graph import Graph
from export.bundle.measure import GateRecord
from export.bundle.published import Published
from export.checkpoint import load_strict
from export.parity import Runner
from export.xtts.generation import generation_settings
from export.xtts.graphs import graphs
from export.xtts.network import Xtts
from export.xtts.published import published_settings, read_xtts
from export.xtts.synth import SIZES, synthesise
from export.xtts.vocabulary import VOCABULARY
from export.xtts.voices import write_voices


class XttsFamily(BundleFamily):
    """XTTS-v2 in its published folder; also further trained ones, as the original's trainer writes them."""

    name = "xtts"
    licence = (
        "The published XTTS-v2 weights are under the Coqui Public Model License 1.0.0: "
        "they, and what they speak, may be used for non-commercial purposes only."
    )
    source = (
        "Casanova et al. 2024, XTTS: a Massively Multilingual Zero-Shot Text-to-Speech Model; "
        "github.com/idiap/coqui-ai-TTS"
    )
    published_files = ("a folder of coqui/XTTS-v2: config.json, model.pth, vocab.json, speakers_xtts.pth",)
    precisions = ("fp32", "bf16", "int8")
    sizes = tuple(SIZES)
    cache_grows = False

    def read(self, path: Path) -> Published:
        """Read the folder's files."""
        return read_xtts(path)

    def triton_model(self, published: Published) -> str:
        """Return the task's engine."""
        return "tts_xtts"

    def load(self, published: Published) -> nn.Module:
        """Build the network of the folder's sizes."""
        return load_strict(Xtts(published_settings(published)), published.state)

    def graphs(self, module: nn.Module) -> Sequence[Graph]:
        """Return all six."""
        assert isinstance(module, Xtts)
        return graphs(module)

    def write_files(self, published: Published, folder: Path) -> None:
        """Write generation.json, vocab.json, and voices.npz if there are voices."""
        settings = published_settings(published)
        content = json.dumps(generation_settings(settings), indent=2)
        (folder / "generation.json").write_text(content + "\n", encoding="utf-8")
        shutil.copyfile(published.needed(VOCABULARY), folder / VOCABULARY)
        write_voices(published, settings, folder)

    def gate(
        self,
        published: Published,
        run: Mapping[str, Runner],
        folder: Path,
        precision: str,
        seed: int,
        progress: Progress,
    ) -> GateRecord:
        """Compare with coqui-tts."""
        from export.xtts.gate import check  # needs the original, which nothing else here does

        return check(published, published_settings(published), run, folder, precision, seed, progress)

    def synth(self, out: Path, seed: int, size: str) -> None:
        """Write a folder."""
        synthesise(out, seed, size)


FAMILY = XttsFamily()
