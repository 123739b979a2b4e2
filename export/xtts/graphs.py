"""The six graphs of a version and their tensors, which the `generate` backend and the exporter agree on."""

from collections.abc import Callable, Sequence
from functools import partial

import onnx

from export.bundle.graph import Graph, Role
from export.signature import Tensor
from export.xtts.conditioning_graph import conditioning_model
from export.xtts.decoder_graph import decoder_inputs, decoder_model, decoder_outputs
from export.xtts.network import Xtts
from export.xtts.settings import EMBEDDING, LATENTS, MEL_BANDS, SPEAKER_BANDS
from export.xtts.speaker_graph import speaker_model
from export.xtts.tables import code_model, text_model
from export.xtts.vocoder import vocoder_model


def graphs(network: Xtts) -> tuple[Graph, ...]:
    """Return all graphs, ready to be written."""
    settings, gpt, sound = network.settings, network.gpt, network.hifigan_decoder
    width, shape = settings.width, settings.shape
    mel = Tensor("mel", "FP32", ("batch", MEL_BANDS, "frames"))
    speaker_mel = Tensor("mel", "FP32", ("batch", SPEAKER_BANDS, "frames"))
    latents = Tensor("latents", "FP32", ("batch", LATENTS, width))
    embedding = Tensor("embedding", "FP32", ("batch", EMBEDDING))
    ids = Tensor("input_ids", "INT64", ("batch", "new"))
    text = Tensor("text_embeds", "FP32", ("batch", "new", width))
    codes = (Tensor("input_ids", "INT64", ("rows", "new")), Tensor("position_ids", "INT64", ("rows", "new")))
    embedded = Tensor("inputs_embeds", "FP32", ("rows", "new", width))
    spoken = (Tensor("features", "FP32", ("batch", width, "frames")), embedding)
    audio = Tensor("audio", "FP32", ("batch", "samples"))
    return (
        _written("conditioning", partial(conditioning_model, network), (mel,), latents),
        _written("speaker", partial(speaker_model, sound.speaker_encoder), (speaker_mel,), embedding),
        _written("text", partial(text_model, gpt.text_embedding, gpt.text_pos_embedding), (ids,), text),
        _written("embed", partial(code_model, gpt.mel_embedding, gpt.mel_pos_embedding), codes, embedded),
        Graph(
            "decoder",
            partial(decoder_model, gpt, shape, width),
            decoder_inputs(shape, width),
            decoder_outputs(shape, width),
        ),
        _written("vocoder", partial(vocoder_model, sound.waveform_decoder), spoken, audio),
    )


def _written(
    role: Role, model: Callable[[Sequence[Tensor], Tensor], onnx.ModelProto], inputs: tuple[Tensor, ...], output: Tensor
) -> Graph:
    return Graph(role, partial(model, inputs, output), inputs, (output,))
