"""Random weights in the published folder format: what holds for them at full size holds for a downloaded folder.

Plain random weights would make a network that repeats the last token, because the last projection is the embedding and
nothing drowns it out. So the feed-forward parts add much, attention looks at few places, and the bias of the end token
is set on random texts so that one text in ten ends at each step.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from export.marian.graph import DecoderGraph, EncoderGraph
from export.marian.network import POSITIONS, Marian, sinusoids
from export.marian.settings import MarianSettings
from export.marian.vocabulary import write_vocabulary
from export.seq2seq.layers import Attention, EncoderLayer

_LOGIT_SPREAD = 4.0
"""Standard deviation of the logits: a trained network's are as far from even."""
_SCORE_SPREAD = 3.0
"""Of the scores of attention, so that it looks at some places and not at others."""
_FEED_FORWARD_GAIN = 8.0
"""Of its last weights: what it adds drowns what it adds to, and so does the last token's part in what comes next."""
_END_SHARE = 0.1
"""Of the steps that end a text."""
_ROWS, _TOKENS = 16, 24
"""Random texts that the end's bias is set on."""
_PAIR = re.compile(r"opus-mt-([a-z]{2,3})-([a-z]{2,3})")


@dataclass(frozen=True)
class Size:
    """One size that can be made."""

    width: int
    layers: int
    heads: int
    hidden: int
    vocab_size: int
    max_positions: int = 512
    activation: str = "swish"
    beams: int = 4
    language_tokens: tuple[str, ...] = ()


SIZES: Mapping[str, Size] = {
    "full": Size(width=512, layers=6, heads=8, hidden=2048, vocab_size=65_001),
    "big": Size(width=1024, layers=6, heads=16, hidden=4096, vocab_size=57_089, max_positions=1024, activation="relu"),
    "reduced": Size(width=64, layers=2, heads=4, hidden=128, vocab_size=1_500, max_positions=128),
    "reduced-multilingual": Size(
        width=64,
        layers=2,
        heads=4,
        hidden=128,
        vocab_size=1_500,
        max_positions=128,
        language_tokens=(">>cat<<", ">>fra<<", ">>por<<", ">>pt_br<<", ">>spa<<"),
    ),
}
"""`full`: opus-mt-en-es and most others; `big`: the opus-mt-tc-big models."""


def synthesise(out: Path, seed: int, size: Size) -> None:
    """Write the folder; the pair is what its name says (opus-mt-en-es), or English and Spanish."""
    out.mkdir(parents=True)
    pad = size.vocab_size - 1
    settings = MarianSettings(
        width=size.width, encoder_layers=size.layers, decoder_layers=size.layers, encoder_heads=size.heads,
        decoder_heads=size.heads, encoder_hidden=size.hidden, decoder_hidden=size.hidden, vocab_size=size.vocab_size,
        max_positions=size.max_positions, activation=size.activation, scales_embedding=True,
        start_token=pad, end_token=0, pad_token=pad,
    )  # fmt: skip
    write_vocabulary(out, size.vocab_size, size.language_tokens)
    for name, content in _settings_files(out.name, settings, size).items():
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    state = random_network(settings, seed).state_dict()
    kept = {name: tensor.contiguous() for name, tensor in state.items() if name not in POSITIONS}
    save_file(kept, out / "model.safetensors", metadata={"format": "pt"})


def random_network(settings: MarianSettings, seed: int) -> Marian:
    """Draw the weights, then set the end's bias."""
    generator = torch.Generator().manual_seed(seed)
    network = Marian(settings).eval().requires_grad_(False)
    width = settings.width
    nn.init.normal_(network.model.shared.weight, std=width**-0.5, generator=generator)
    for half in (network.model.encoder, network.model.decoder):
        half.embed_positions.weight.copy_(sinusoids(settings.max_positions, width))
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.normal_(module.weight, mean=1.0, std=0.05, generator=generator)
            nn.init.normal_(module.bias, std=0.05, generator=generator)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5, generator=generator)
            nn.init.normal_(module.bias, std=0.05, generator=generator)
    for module in network.modules():  # only now: a module comes before its parts
        if isinstance(module, Attention):
            module.q_proj.weight.mul_(_SCORE_SPREAD)
        if isinstance(module, EncoderLayer):
            module.fc2.weight.mul_(_FEED_FORWARD_GAIN)
    last = network.model.decoder.layers[-1]
    assert isinstance(last, EncoderLayer)
    last.final_layer_norm.weight.mul_(_LOGIT_SPREAD)
    nn.init.normal_(network.final_logits_bias, std=0.1, generator=generator)
    _set_end(network, generator)
    return network


def _set_end(network: Marian, generator: torch.Generator) -> None:
    settings = network.settings
    least, most = 1, settings.vocab_size - 1
    source = torch.randint(least, most, (_ROWS, _TOKENS), generator=generator)
    text = torch.randint(least, most, (_ROWS, _TOKENS), generator=generator)
    text[:, 0] = settings.start_token
    logits = _logits(network, source, text)
    logits[..., settings.pad_token] = -torch.inf
    end = logits[..., settings.end_token].clone()
    logits[..., settings.end_token] = -torch.inf
    short = (logits.amax(-1) - end).flatten()
    network.final_logits_bias[0, settings.end_token] += torch.quantile(short, _END_SHARE)


def _logits(network: Marian, source: Tensor, text: Tensor) -> Tensor:
    shape = network.settings.shape
    mask = torch.ones_like(source)
    cross = EncoderGraph(network)(source, mask)
    empty = torch.zeros(len(text), shape.heads, 0, shape.head_dim)
    positions = torch.arange(text.shape[1]).expand(len(text), -1)
    past = [empty] * (2 * shape.layers)
    logits: Tensor = DecoderGraph(network)(text, positions, torch.ones_like(text), *past, *cross, mask)[0]
    return logits


def _settings_files(name: str, settings: MarianSettings, size: Size) -> dict[str, dict[str, object]]:
    tokens: dict[str, object] = {
        "bad_words_ids": [[settings.pad_token]],
        "bos_token_id": settings.end_token,
        "decoder_start_token_id": settings.start_token,
        "eos_token_id": settings.end_token,
        "forced_eos_token_id": settings.end_token,
        "max_length": settings.max_positions,
        "num_beams": size.beams,
        "pad_token_id": settings.pad_token,
    }
    match = _PAIR.search(name)
    source, target = match.groups() if match else ("en", "es")
    sides = {"source_lang": source, "target_lang": "roa" if size.language_tokens else target}
    config = {
        "architectures": ["MarianMTModel"],
        "model_type": "marian",
        "d_model": settings.width,
        "encoder_layers": settings.encoder_layers,
        "decoder_layers": settings.decoder_layers,
        "encoder_attention_heads": settings.encoder_heads,
        "decoder_attention_heads": settings.decoder_heads,
        "encoder_ffn_dim": settings.encoder_hidden,
        "decoder_ffn_dim": settings.decoder_hidden,
        "vocab_size": settings.vocab_size,
        "decoder_vocab_size": settings.vocab_size,
        "max_position_embeddings": settings.max_positions,
        "activation_function": settings.activation,
        "scale_embedding": settings.scales_embedding,
        "share_encoder_decoder_embeddings": True,
        "static_position_embeddings": True,
        "normalize_before": False,
        "normalize_embedding": False,
        "add_final_layer_norm": False,
        "add_bias_logits": False,
        "is_encoder_decoder": True,
        "use_cache": True,
        **tokens,
    }
    tokenizer: dict[str, object] = {
        **sides,
        "model_max_length": settings.max_positions,
        "tokenizer_class": "MarianTokenizer",
    }
    return {"config.json": config, "generation_config.json": tokens, "tokenizer_config.json": tokenizer}
