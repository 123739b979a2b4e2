"""The two graphs that are served, of a network: what it computes, with as few nodes as that takes."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from export.bundle.graph import Graph
from export.seq2seq.attention import CrossAttention, CrossKeysValues, SelfAttention, causal_bias
from export.seq2seq.layers import Attention, DecoderLayer, EncoderLayer
from export.seq2seq.projection import Projection
from export.seq2seq.tensors import cross_tensors, decoder_inputs, decoder_outputs, examples
from export.signature import Tensor as Promised
from export.whisper.network import Whisper


class _FeedForward(nn.Module):
    """Layer norm, two linear layers, the input added."""

    def __init__(self, layer: EncoderLayer) -> None:
        super().__init__()
        self.norm = layer.final_layer_norm
        self.first, self.second = Projection.of(layer.fc1), Projection.of(layer.fc2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.second(functional.gelu(self.first(self.norm(x))))
        return y


class _EncoderLayer(nn.Module):
    def __init__(self, layer: EncoderLayer, heads: int) -> None:
        super().__init__()
        self.norm = layer.self_attn_layer_norm
        self.attention = _self_attention(layer.self_attn, heads)
        self.feed_forward = _FeedForward(layer)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.feed_forward(x + self.attention(self.norm(x)))
        return y


class WhisperEncoderGraph(nn.Module):
    """mel [B, n_mels, frames] -> cross_key_0, cross_value_0 ... [B, heads, frames / 2, head_dim]."""

    def __init__(self, network: Whisper) -> None:
        super().__init__()
        encoder = network.model.encoder
        self.conv1, self.conv2, self.positions = encoder.conv1, encoder.conv2, encoder.embed_positions
        self.layers = nn.ModuleList(
            [_EncoderLayer(layer, network.settings.encoder_heads) for layer in _typed(encoder.layers)]
        )
        self.norm = encoder.layer_norm
        self.cross = CrossKeysValues(
            [(layer.encoder_attn.k_proj, layer.encoder_attn.v_proj) for layer in network.decoder_layers],
            network.settings.decoder_heads,
        )

    def forward(self, mel: Tensor) -> tuple[Tensor, ...]:
        """Encode, and project for all decoder layers."""
        found: tuple[Tensor, ...] = self.cross(self.encode(mel))
        return found

    def encode(self, mel: Tensor) -> Tensor:
        """[B, n_mels, frames] -> [B, frames / 2, width]; fewer frames (an even number) have the first positions."""
        x = functional.gelu(self.conv1(mel))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.positions.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        encoded: Tensor = self.norm(x)
        return encoded


class _DecoderLayer(nn.Module):
    def __init__(self, layer: DecoderLayer, heads: int) -> None:
        super().__init__()
        self.norm, self.cross_norm = layer.self_attn_layer_norm, layer.encoder_attn_layer_norm
        self.attention = _self_attention(layer.self_attn, heads)
        self.cross = CrossAttention(layer.encoder_attn.q_proj, layer.encoder_attn.out_proj, heads)
        self.feed_forward = _FeedForward(layer)

    def forward(
        self, x: Tensor, bias: Tensor, past: Sequence[Tensor], cross: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        y, key, value = self.attention.cached(self.norm(x), bias, *past)
        x = x + y
        x = x + self.cross(self.cross_norm(x), *cross)
        return self.feed_forward(x), key, value


class WhisperDecoderGraph(nn.Module):
    """Prefill and step in one; tensors as `decoder_inputs` and `decoder_outputs` list them."""

    def __init__(self, network: Whisper) -> None:
        super().__init__()
        decoder = network.model.decoder
        self.tokens, self.positions = decoder.embed_tokens, decoder.embed_positions
        self.layers = nn.ModuleList(
            [_DecoderLayer(layer, network.settings.decoder_heads) for layer in network.decoder_layers]
        )
        self.norm = decoder.layer_norm
        self.vocabulary = Projection(decoder.embed_tokens.weight.T)

    def forward(self, input_ids: Tensor, position_ids: Tensor, mask: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        """Return logits [R, T, vocab] and the caches of past and new tokens; `caches`: past, then cross, by layers."""
        past, cross = caches[: 2 * len(self.layers)], caches[2 * len(self.layers) :]
        bias = causal_bias(mask, input_ids)
        x = self.tokens(input_ids) + self.positions(position_ids)
        present: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            pair = slice(2 * index, 2 * index + 2)
            x, key, value = layer(x, bias, past[pair], cross[pair])
            present += [key, value]
        return (self.vocabulary(self.norm(x)), *present)


def graphs(network: Whisper) -> tuple[Graph, ...]:
    """Return encoder and decoder, ready to be traced."""
    settings = network.settings
    mel = (Promised("mel", "FP32", ("batch", settings.n_mels, "frames")),)
    inputs = decoder_inputs(settings.shape, encoder_mask=False)
    return (
        Graph("encoder", WhisperEncoderGraph(network).eval(), mel, cross_tensors(settings.shape), examples(mel)),
        Graph(
            "decoder", WhisperDecoderGraph(network).eval(), inputs, decoder_outputs(settings.shape), examples(inputs)
        ),
    )


def _self_attention(layer: Attention, heads: int) -> SelfAttention:
    return SelfAttention(layer.q_proj, layer.k_proj, layer.v_proj, layer.out_proj, heads)


def _typed(layers: nn.ModuleList) -> list[EncoderLayer]:
    return [layer for layer in layers if isinstance(layer, EncoderLayer)]
