"""The networks as they are served compute what they compute under their published names."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from export.checkpoint import load_strict
from export.runtime import open_graph
from export.xtts.conditioning import AttentionBlock, RootMeanSquareNorm
from export.xtts.family import FAMILY
from export.xtts.generator import Generator
from export.xtts.graphs import graphs
from export.xtts.network import Xtts
from export.xtts.parts import typed


@pytest.fixture(scope="module")
def network(xtts_folder, xtts_settings) -> Xtts:
    loaded = load_strict(Xtts(xtts_settings), FAMILY.read(xtts_folder).state)
    assert isinstance(loaded, Xtts)
    return loaded.requires_grad_(requires_grad=False)


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def test_the_vocoder_of_flat_pictures_says_what_the_one_of_lines_says(network, xtts_graphs):
    features, embedding = torch.randn(2, network.settings.width, 9), torch.randn(2, 512) / 20
    inputs = {"features": features.numpy(), "embedding": embedding.numpy()}
    audio = open_graph(xtts_graphs / "vocoder.onnx")(inputs)["audio"]
    assert audio.shape == (2, 9 * 256)
    expected = network.hifigan_decoder.waveform_decoder(features, embedding[:, :, None])[:, 0]
    np.testing.assert_allclose(audio, expected.numpy(), rtol=0, atol=1e-5)


def test_the_vocoder_hears_the_voice_in_every_stage():
    generator = Generator(8).requires_grad_(requires_grad=False)
    features, voices = torch.randn(1, 8, 4), (torch.ones(1, 512, 1), torch.zeros(1, 512, 1))
    for part in (generator.cond_layer, *generator.conds):
        nn.init.zeros_(part.weight)
    assert torch.equal(*(generator(features, voice) for voice in voices))
    for part in (generator.cond_layer, *generator.conds):
        nn.init.normal_(part.weight)
        assert not torch.equal(*(generator(features, voice) for voice in voices))
        nn.init.zeros_(part.weight)


def test_norms_behind_a_convolution_are_worked_into_it_and_change_nothing(network, xtts_graphs):
    mel = torch.randn(2, 64, 25).exp()
    embedding = open_graph(xtts_graphs / "speaker.onnx")({"mel": mel.numpy()})["embedding"]
    np.testing.assert_allclose(embedding, network.hifigan_decoder.speaker_encoder(mel).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-5)
    nodes = onnx.load(xtts_graphs / "speaker.onnx").graph.node
    behind_a_relu = 1 + sum((3, 4, 6, 3)) + 1  # the first, one a block, the attention's
    assert sum(node.op_type == "BatchNormalization" for node in nodes) == behind_a_relu


@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_a_voice_is_heard_however_short_the_sound_is(xtts_graphs, frames):
    mel = np.random.default_rng(frames).random((1, 64, frames), np.float32)
    assert np.isfinite(open_graph(xtts_graphs / "speaker.onnx")({"mel": mel})["embedding"]).all()


def test_a_silent_sound_has_a_voice_that_is_a_number(xtts_graphs):
    mel = np.zeros((1, 64, 40), np.float32)
    assert np.isfinite(open_graph(xtts_graphs / "speaker.onnx")({"mel": mel})["embedding"]).all()


@pytest.mark.parametrize("frames", [1, 21])
def test_the_conditioning_graph_divides_by_the_mel_statistics(network, xtts_graphs, frames):
    mel = torch.randn(2, 80, frames) * 3 - 5
    latents = open_graph(xtts_graphs / "conditioning.onnx")({"mel": mel.numpy()})["latents"]
    assert latents.shape == (2, 32, network.settings.width)
    expected = network.gpt.latents(mel / network.mel_stats[:, None])
    np.testing.assert_allclose(latents, expected.numpy(), rtol=0, atol=1e-4)


def test_what_attention_finds_is_added_to_the_normed_frames(network):
    block = AttentionBlock(network.settings.width, network.settings.heads).requires_grad_(requires_grad=False)
    nn.init.zeros_(block.proj_out.weight)
    nn.init.zeros_(block.proj_out.bias)
    x = torch.randn(1, network.settings.width, 7) * 5 + 3
    assert torch.equal(block(x), block.norm(x))
    assert not torch.allclose(block(x), x)


def test_tables_are_looked_up_and_added(network, xtts_graphs):
    gpt, ids, places = network.gpt, torch.tensor([[3, 0, 7], [1, 1, 2]]), torch.tensor([[0, 1, 2], [9, 600, 4]])
    text = open_graph(xtts_graphs / "text.onnx")({"input_ids": ids.numpy()})["text_embeds"]
    assert np.array_equal(text, (gpt.text_embedding(ids) + gpt.text_pos_embedding.emb.weight[:3]).numpy())
    codes = open_graph(xtts_graphs / "embed.onnx")({"input_ids": ids.numpy(), "position_ids": places.numpy()})
    assert np.array_equal(codes["inputs_embeds"], (gpt.mel_embedding(ids) + gpt.mel_pos_embedding.emb(places)).numpy())


def test_vectors_are_normed_to_the_root_of_their_size():
    norm = RootMeanSquareNorm(16)
    torch.testing.assert_close(norm(torch.randn(3, 16) * 40).square().mean(dim=1), torch.ones(3))
    assert torch.isfinite(norm(torch.zeros(1, 16))).all()


def test_a_list_of_layers_of_another_kind_is_a_mistake():
    with pytest.raises(TypeError, match="a layer is no Conv1d"):
        typed(nn.ModuleList([nn.ReLU()]), nn.Conv1d)


TENSORS = {
    "conditioning": (["mel float [b, 80, n]"], ["latents float [b, 32, 64]"]),
    "speaker": (["mel float [b, 64, n]"], ["embedding float [b, 512]"]),
    "text": (["input_ids int64 [b, n]"], ["text_embeds float [b, n, 64]"]),
    "embed": (["input_ids int64 [b, n]", "position_ids int64 [b, n]"], ["inputs_embeds float [b, n, 64]"]),
    "vocoder": (["features float [b, 64, n]", "embedding float [b, 512]"], ["audio float [b, n]"]),
    "decoder": (
        [
            "inputs_embeds float [b, n, 64]",
            "row_lengths int32 [b]",
            "total_length int32 [1]",
            *(f"past_{kind}_{layer} float [b, 2, n, 32]" for layer in range(2) for kind in ("key", "value")),
        ],
        [
            "logits float [b, n, 1026]",
            "hidden float [b, n, 64]",
            *(f"present_{kind}_{layer} float [b, 2, n, 32]" for layer in range(2) for kind in ("key", "value")),
        ],
    ),
}


def described(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    sizes = [str(dim.dim_value) if dim.HasField("dim_value") else "n" for dim in tensor.shape.dim]
    if sizes[0] == "n":
        sizes[0] = "b"
    return f"{value.name} {'float' if kind == np.float32 else kind} [{', '.join(sizes)}]"


@pytest.mark.parametrize("role", TENSORS)
def test_the_graphs_have_the_tensors_that_the_backend_knows(xtts_graphs, role):
    graph = onnx.load(xtts_graphs / f"{role}.onnx").graph
    assert ([described(each) for each in graph.input], [described(each) for each in graph.output]) == TENSORS[role]


def test_the_vocoder_has_only_convolutions_of_pictures(xtts_graphs):
    graph = onnx.load(xtts_graphs / "vocoder.onnx").graph
    sizes = {each.name: len(each.dims) for each in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    assert len(convolutions) == 2 + 1 + 4 + 4 + 12 * 6
    assert all(sizes[node.input[1]] == 4 for node in convolutions)


def test_all_graphs_are_listed_once(network):
    assert sorted(graph.role for graph in graphs(network)) == sorted(TENSORS)
