"""What the exporter must know of Opus-MT."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from export.bundle.family import BundleFamily, Progress
from export.bundle.graph import Graph
from export.bundle.measure import GateRecord
from export.bundle.published import Published, read_folder
from export.marian import files
from export.marian.graph import DecoderGraph, EncoderGraph
from export.marian.languages import Stated, read_languages
from export.marian.network import Marian, load_network
from export.marian.plan import beams_of, plan
from export.marian.reference import MarianReference
from export.marian.settings import read_search, read_settings
from export.marian.synth import SIZES, synthesise
from export.parity import Runner
from export.seq2seq.compare import compare
from export.seq2seq.runner import Graphs
from export.seq2seq.tensors import cross_tensors, decoder_inputs, decoder_outputs, examples
from export.signature import Tensor


class MarianFamily(BundleFamily):
    """Every `Helsinki-NLP/opus-mt-*` folder with one vocabulary for both languages."""

    name = "marian"
    licence = "Most Opus-MT models: CC-BY 4.0 or Apache-2.0; the model's own card says which."
    source = "Tiedemann and Thottingal 2020, OPUS-MT - Building open translation services for the World; Helsinki-NLP"
    published_files = ("Helsinki-NLP/opus-mt-<source>-<target>",)
    precisions = ("fp32", "int8")
    sizes = tuple(SIZES)

    def read(self, path: Path) -> Published:
        """Read the folder."""
        return read_folder(path, ["marian"])

    def stated(self, published: Published, pairs: Sequence[str]) -> Published:
        """State pairs of languages, among those that the model's `>>xx<<` tokens allow."""
        return Stated.of(published, pairs) if pairs else published

    def triton_model(self, published: Published) -> str:
        """Return opus_mt_<source>_<target>."""
        return read_languages(published).triton_model

    def load(self, published: Published) -> nn.Module:
        """Build our own network and load it strictly."""
        return load_network(read_settings(published), published.state)

    def graphs(self, module: nn.Module) -> Sequence[Graph]:
        """Return encoder and decoder."""
        assert isinstance(module, Marian)
        shape = module.settings.shape
        tokens = (
            Tensor("input_ids", "INT64", ("batch", "source")),
            Tensor("encoder_mask", "INT64", ("batch", "source")),
        )
        cached = decoder_inputs(shape, encoder_mask=True)
        return (
            Graph("encoder", EncoderGraph(module).eval(), tokens, cross_tensors(shape), examples(tokens)),
            Graph("decoder", DecoderGraph(module).eval(), cached, decoder_outputs(shape), examples(cached)),
        )

    def write_files(self, published: Published, folder: Path) -> None:
        """Write generation.json and copy the tokenizer's three files."""
        settings = read_settings(published)
        files.write_files(published, settings, read_search(published, settings), read_languages(published), folder)

    def gate(
        self,
        published: Published,
        run: Mapping[str, Runner],
        folder: Path,
        precision: str,
        seed: int,
        progress: Progress,
    ) -> GateRecord:
        """Compare with transformers' MarianMTModel."""
        settings = read_settings(published)
        limits = plan(settings, read_search(published, settings))
        graphs = Graphs(run, settings.shape)
        return compare(self.reference(published), graphs, limits, precision, seed, progress)

    def reference(self, published: Published) -> MarianReference:
        """Load the reference library's model from the published files."""
        search = read_search(published, read_settings(published))
        return MarianReference(published.path, search, beams_of(search))

    def config(self, published: Published) -> str:
        """Return the pair's config.pbtxt."""
        return files.triton_config(read_languages(published))

    def synth(self, out: Path, seed: int, size: str) -> None:
        """Write a folder of random weights with stand-in vocabularies."""
        if size not in SIZES:
            raise ValueError(f"the sizes are {', '.join(SIZES)}, not {size}")
        synthesise(out, seed, SIZES[size])


FAMILY = MarianFamily()
