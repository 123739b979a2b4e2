"""Random weights with which every part of the network matters, so that parity on them means something.

Layers keep the spread of what they get; what would be the same for every voice is taken out of the embedding; speech is
audible but not clipped; and a place in the positions' vectors tells the stop code how long it has been spoken, so that
sampled speech ends by itself. What is found by measuring is rounded, so that it does not depend on the order in which a
processor adds.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.xtts.conditioning import Perceiver, PerceiverAttention
from export.xtts.generator import Generator, ResidualBlock
from export.xtts.gpt import Block, Product
from export.xtts.network import Gpt, Xtts
from export.xtts.parts import typed
from export.xtts.settings import EMBEDDING, MEL_BANDS, SPEAKER_BANDS, XttsSettings
from export.xtts.speaker import SpeakerEncoder
from export.xtts.synth_ending import set_ending

VOICES = ("Anna Example", "Boris Example")
_BRANCHES = 3.0
"""What all blocks together add to the variance of the embeddings, which is 1."""
_SCORE_GAIN = 2.0
"""Of queries: with 1, all positions would count alike."""
_LOGIT_SPREAD = 3.0
_LOUDNESS = 0.1
"""Root mean square of the audio, full scale 1."""
_RESIDUAL_GAIN = 0.4
"""Of what a pair of convolutions adds in the generator."""
_VOICE_SPREAD = 0.5
"""Of what a voice adds to each channel of the generator."""
_SOUNDS, _FRAMES = 8, 64
"""Random sounds that are listened to."""


def random_network(settings: XttsSettings, seed: int) -> Xtts:
    """Draw a network, in eval; the same seed draws the same weights."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = Xtts(settings)
        for module in network.modules():
            _initialise(module)
        network.mel_stats.uniform_(2, 6)
        _draw_gpt(network.gpt, settings)
        _draw_generator(network.hifigan_decoder.waveform_decoder, settings.width)
        _settle_speaker(network.hifigan_decoder.speaker_encoder)
        network.eval()
        set_ending(network.gpt, settings, _latents(network, 2))
    return network


def invented_voices(network: Xtts) -> dict[str, dict[str, Tensor]]:
    """Return two voices as speakers_xtts.pth has them."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        latents = _latents(network, len(VOICES))
        embeddings = functional.normalize(torch.randn(len(VOICES), EMBEDDING), dim=1)
    return {
        name: {
            "gpt_cond_latent": latents[index : index + 1].clone(),
            "speaker_embedding": embeddings[index, None, :, None].clone(),
        }
        for index, name in enumerate(VOICES)
    }


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        nn.init.normal_(module.weight, std=1 / math.sqrt(module.weight[0].numel()))
        if module.bias is not None:
            nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, Product):
        nn.init.normal_(module.weight, std=1 / math.sqrt(module.weight.shape[0]))
        nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.uniform_(module.weight, 0.8, 1.2)
        nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, PerceiverAttention):
        nn.init.normal_(module.to_q.weight, std=_SCORE_GAIN / math.sqrt(module.to_q.in_features))
    if isinstance(module, Perceiver):
        nn.init.normal_(module.latents)
        nn.init.uniform_(module.norm.gamma, 0.8, 1.2)


def _draw_gpt(gpt: Gpt, settings: XttsSettings) -> None:
    """Embeddings of variance 1, whose positions count half of that; blocks that all add alike."""
    for table in (gpt.text_pos_embedding, gpt.mel_pos_embedding):
        nn.init.normal_(table.emb.weight, std=0.5)
    gain = math.sqrt(_BRANCHES / (2 * settings.layers))
    for block in typed(gpt.gpt.h, Block):
        block.attn.c_attn.weight[:, : settings.width] *= _SCORE_GAIN
        block.attn.c_proj.weight.mul_(2 * gain)  # a mean over positions is smaller than what it is of
        block.mlp.c_proj.weight.mul_(2 * gain)  # GELU halves what it gets
    gpt.mel_head.weight.mul_(_LOGIT_SPREAD)


def _draw_generator(generator: Generator, width: int) -> None:
    """Stages that keep the spread; then the last convolution is scaled to the loudness wanted."""
    for up in typed(generator.ups, nn.ConvTranspose1d):
        taps = up.in_channels * up.kernel_size[0] // up.stride[0]
        nn.init.normal_(up.weight, std=1 / math.sqrt(taps))
        assert up.bias is not None
        nn.init.normal_(up.bias, std=0.05)
    for block in typed(generator.resblocks, ResidualBlock):
        for conv in typed(block.convs2, nn.Conv1d):
            conv.weight.mul_(_RESIDUAL_GAIN)
    for condition in (generator.cond_layer, *typed(generator.conds, nn.Conv1d)):
        nn.init.normal_(condition.weight, std=_VOICE_SPREAD)  # embeddings have the length 1
    embedding = functional.normalize(torch.randn(1, EMBEDDING, 1), dim=1)
    loud = generator(torch.randn(1, width, _FRAMES), embedding).clamp(-0.999, 0.999).atanh().square().mean().sqrt()
    generator.conv_post.weight.mul_(_rounded(_LOUDNESS / loud))


def _settle_speaker(encoder: SpeakerEncoder) -> None:
    """Let the norms know the spread of what they get, and take away what all sounds have in common."""
    sounds = torch.randn(_SOUNDS, SPEAKER_BANDS, _FRAMES).mul(2).exp()
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    usual = norms[0].momentum
    for norm in norms:
        norm.momentum = 1.0
    encoder.train()(sounds)
    for norm in norms:
        norm.momentum = usual
        for statistic in (norm.running_mean, norm.running_var):
            assert statistic is not None
            statistic.copy_(_rounded(statistic))
    mean = encoder.eval().heard(sounds).mean(dim=0)
    encoder.fc.bias.copy_(_rounded(-encoder.fc.weight @ mean))


def _latents(network: Xtts, voices: int) -> Tensor:
    """Latents of random sounds: [voices, 32, width]."""
    return network.gpt.latents(torch.randn(voices, MEL_BANDS, _FRAMES).mul(3).sub(5) / network.mel_stats[:, None])


def _rounded(number: Tensor) -> Tensor:
    """To the eight bits of a bfloat16."""
    return number.to(torch.bfloat16).float()
