"""The networks as they are served compute what they compute under their published names."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from export.checkpoint import load_strict
from export.xtts.conditioning import AttentionBlock, ConditioningGraph, RootMeanSquareNorm
from export.xtts.family import FAMILY
from export.xtts.generator import Generator
from export.xtts.graphs import graphs
from export.xtts.network import Xtts
from export.xtts.parts import typed
from export.xtts.speaker import SpeakerEncoder, SpeakerGraph
from export.xtts.vocoder import VocoderGraph


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


def test_the_vocoder_of_flat_pictures_says_what_the_one_of_lines_says(network):
    generator = network.hifigan_decoder.waveform_decoder
    features, embedding = torch.randn(2, network.settings.width, 9), torch.randn(2, 512)
    (audio,) = VocoderGraph(generator)(features, embedding)
    assert audio.shape == (2, 9 * 256)
    torch.testing.assert_close(audio, generator(features, embedding[:, :, None])[:, 0], rtol=0, atol=1e-6)


def test_the_vocoder_hears_the_voice_in_every_stage():
    generator = Generator(8).requires_grad_(requires_grad=False)
    features = torch.randn(1, 8, 4)
    for part in (generator.cond_layer, *generator.conds):
        nn.init.zeros_(part.weight)
    same = [VocoderGraph(generator)(features, voice)[0] for voice in (torch.ones(1, 512), torch.zeros(1, 512))]
    assert torch.equal(*same)
    for part in (generator.cond_layer, *generator.conds):
        nn.init.normal_(part.weight)
        one, other = (
            VocoderGraph(generator)(features, voice)[0] for voice in (torch.ones(1, 512), torch.zeros(1, 512))
        )
        assert not torch.equal(one, other)
        nn.init.zeros_(part.weight)


def test_folded_norms_change_nothing_and_leave_the_network_alone(network):
    encoder = network.hifigan_decoder.speaker_encoder
    mel = torch.randn(2, 64, 25).exp()
    before = encoder(mel)
    (embedding,) = SpeakerGraph(encoder)(mel)
    torch.testing.assert_close(embedding, before, rtol=0, atol=1e-5)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))
    assert torch.equal(encoder(mel), before)
    kept = [each for each in SpeakerGraph(encoder).modules() if isinstance(each, nn.BatchNorm2d)]
    assert len(kept) == 1 + sum((3, 4, 6, 3))  # those behind a ReLU


def test_a_voice_is_heard_however_short_the_sound_is():
    encoder = SpeakerEncoder().eval()
    for frames in (2, 3, 9):
        with torch.no_grad():
            assert torch.isfinite(encoder(torch.rand(1, 64, frames))).all()


def test_the_conditioning_graph_divides_by_the_mel_statistics(network):
    gpt, mel = network.gpt, torch.randn(2, 80, 21)
    parts = (gpt.conditioning_encoder, gpt.conditioning_perceiver)
    (latents,) = ConditioningGraph(*parts, network.mel_stats)(mel)
    (expected,) = ConditioningGraph(*parts, torch.ones(80))(mel / network.mel_stats[:, None])
    assert latents.shape == (2, 32, network.settings.width)
    torch.testing.assert_close(latents, expected, rtol=0, atol=1e-4)


def test_what_attention_finds_is_added_to_the_normed_frames(network):
    block = typed(network.gpt.conditioning_encoder.attn, AttentionBlock)[0]
    silent = AttentionBlock(network.settings.width, network.settings.heads)
    silent.load_state_dict(block.state_dict())
    nn.init.zeros_(silent.proj_out.weight)
    nn.init.zeros_(silent.proj_out.bias)
    encoder = network.gpt.conditioning_encoder
    graph = ConditioningGraph(encoder, network.gpt.conditioning_perceiver, network.mel_stats)
    served = graph.blocks[0]
    served.back.weight.zero_()
    served.back.bias.zero_()
    x = torch.randn(1, network.settings.width, 7)
    assert torch.equal(served(x), block.norm(x))
    torch.testing.assert_close(block.norm(x).mean(), block.norm.bias.mean(), rtol=0, atol=0.1)


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
