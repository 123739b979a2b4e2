"""The six graphs of a version and their tensors, which the `generate` backend and the exporter agree on."""

from functools import partial

from torch import Tensor, nn

from export.bundle.graph import Graph, Role
from export.seq2seq.tensors import examples
from export.signature import Tensor as Promised
from export.xtts.conditioning import ConditioningGraph
from export.xtts.decoder_graph import decoder_inputs, decoder_model, decoder_outputs
from export.xtts.network import PositionTable, Xtts
from export.xtts.settings import EMBEDDING, LATENTS, MEL_BANDS, SPEAKER_BANDS
from export.xtts.speaker import SpeakerGraph
from export.xtts.vocoder import VocoderGraph


class _TextGraph(nn.Module):
    """input_ids INT64 [B, T] -> text_embeds [B, T, width]; positions count from 0."""

    def __init__(self, tokens: nn.Embedding, positions: PositionTable) -> None:
        super().__init__()
        self.tokens, self.positions = tokens, positions.emb

    def forward(self, input_ids: Tensor) -> tuple[Tensor]:
        """Look both up."""
        return (self.tokens(input_ids) + self.positions.weight[: input_ids.shape[1]],)


class _EmbedGraph(nn.Module):
    """input_ids, position_ids INT64 [R, T] -> inputs_embeds [R, T, width]."""

    def __init__(self, codes: nn.Embedding, positions: PositionTable) -> None:
        super().__init__()
        self.codes, self.positions = codes, positions.emb

    def forward(self, input_ids: Tensor, position_ids: Tensor) -> tuple[Tensor]:
        """Look both up."""
        return (self.codes(input_ids) + self.positions(position_ids),)


def graphs(network: Xtts) -> tuple[Graph, ...]:
    """Return all graphs, ready to be written."""
    settings, gpt, sound = network.settings, network.gpt, network.hifigan_decoder
    width, shape = settings.width, settings.shape
    conditioning = ConditioningGraph(gpt.conditioning_encoder, gpt.conditioning_perceiver, network.mel_stats)
    ids = Promised("input_ids", "INT64", ("batch", "new"))
    embedded = Promised("inputs_embeds", "FP32", ("rows", "new", width))
    code_ids = (Promised("input_ids", "INT64", ("rows", "new")), Promised("position_ids", "INT64", ("rows", "new")))
    embedding = Promised("embedding", "FP32", ("batch", EMBEDDING))
    spoken = (Promised("features", "FP32", ("batch", width, "frames")), embedding)
    return (
        _traced(
            "conditioning",
            conditioning,
            (Promised("mel", "FP32", ("batch", MEL_BANDS, "frames")),),
            Promised("latents", "FP32", ("batch", LATENTS, width)),
        ),
        _traced(
            "speaker",
            SpeakerGraph(sound.speaker_encoder),
            (Promised("mel", "FP32", ("batch", SPEAKER_BANDS, "frames")),),
            embedding,
        ),
        _traced(
            "text",
            _TextGraph(gpt.text_embedding, gpt.text_pos_embedding),
            (ids,),
            Promised("text_embeds", "FP32", ("batch", "new", width)),
        ),
        _traced("embed", _EmbedGraph(gpt.mel_embedding, gpt.mel_pos_embedding), code_ids, embedded),
        Graph(
            "decoder",
            partial(decoder_model, gpt, shape, width),
            decoder_inputs(shape, width),
            decoder_outputs(shape, width),
        ),
        _traced(
            "vocoder",
            VocoderGraph(sound.waveform_decoder),
            spoken,
            Promised("audio", "FP32", ("batch", "samples")),
        ),
    )


def _traced(role: Role, module: nn.Module, inputs: tuple[Promised, ...], output: Promised) -> Graph:
    return Graph(role, module.eval(), inputs, (output,), examples(inputs))
