"""The two graphs of a Marian network, as docs/GENERATE.md wants them: encoder with cross keys and values, decoder."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from export.marian.network import Half, Marian
from export.seq2seq.attention import CrossAttention, CrossKeysValues, SelfAttention, causal_bias, padding_bias
from export.seq2seq.layers import Attention, DecoderLayer, EncoderLayer
from export.seq2seq.projection import Projection

_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "swish": functional.silu,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "relu": functional.relu,
}


class EncoderGraph(nn.Module):
    """input_ids, encoder_mask [B, S] -> cross_key_0, cross_value_0 ..., each [B, heads, S, head_dim]."""

    def __init__(self, network: Marian) -> None:
        super().__init__()
        settings = network.settings
        self.embedding = _embedding(network)
        self.positions = _positions(network.model.encoder)
        self.layers = nn.ModuleList(
            [
                _EncoderLayer(layer, settings.encoder_heads, settings.activation)
                for layer in _layers(network.model.encoder)
            ]
        )
        attentions = [layer.encoder_attn for layer in _decoder_layers(network)]
        self.cross = CrossKeysValues([(each.k_proj, each.v_proj) for each in attentions], settings.decoder_heads)

    def forward(self, input_ids: Tensor, encoder_mask: Tensor) -> tuple[Tensor, ...]:
        """Encode padded sources; what stands at padding means nothing."""
        bias = padding_bias(encoder_mask)
        x = functional.embedding(input_ids, self.embedding) + self.positions[: input_ids.shape[1]]
        for layer in self.layers:
            x = layer(x, bias)
        found: tuple[Tensor, ...] = self.cross(x)
        return found


class DecoderGraph(nn.Module):
    """Prefill and step in one: `decoder_inputs` in their order -> logits [R, T, vocab], present keys and values."""

    def __init__(self, network: Marian) -> None:
        super().__init__()
        settings = network.settings
        self.embedding = _embedding(network)
        self.positions = _positions(network.model.decoder)
        self.layers = nn.ModuleList(
            [_DecoderLayer(layer, settings.decoder_heads, settings.activation) for layer in _decoder_layers(network)]
        )
        self.vocabulary = Projection(network.model.shared.weight.T, network.final_logits_bias[0])

    def forward(self, input_ids: Tensor, position_ids: Tensor, mask: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """`rest`: past keys and values, cross keys and values (both layer by layer), encoder_mask."""
        *caches, encoder_mask = rest
        past, cross = _pairs(caches[: 2 * len(self.layers)]), _pairs(caches[2 * len(self.layers) :])
        bias, cross_bias = causal_bias(mask, input_ids), padding_bias(encoder_mask)
        x = functional.embedding(input_ids, self.embedding) + functional.embedding(position_ids, self.positions)
        present: list[Tensor] = []
        for layer, layer_past, layer_cross in zip(self.layers, past, cross, strict=True):
            x, key, value = layer(x, bias, layer_past, layer_cross, cross_bias)
            present += [key, value]
        return (self.vocabulary(x), *present)


class _FeedForward(nn.Module):
    def __init__(self, layer: EncoderLayer, activation: str) -> None:
        super().__init__()
        self.first, self.second = Projection.of(layer.fc1), Projection.of(layer.fc2)
        self.norm = layer.final_layer_norm
        self._activation = _ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x + self.second(self._activation(self.first(x))))
        return y


class _EncoderLayer(nn.Module):
    def __init__(self, layer: EncoderLayer, heads: int, activation: str) -> None:
        super().__init__()
        self.attention, self.attention_norm = _self_attention(layer.self_attn, heads), layer.self_attn_layer_norm
        self.feed_forward = _FeedForward(layer, activation)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        y: Tensor = self.feed_forward(self.attention_norm(x + self.attention(x, bias)))
        return y


class _DecoderLayer(nn.Module):
    def __init__(self, layer: DecoderLayer, heads: int, activation: str) -> None:
        super().__init__()
        self.attention, self.attention_norm = _self_attention(layer.self_attn, heads), layer.self_attn_layer_norm
        self.cross = CrossAttention(layer.encoder_attn.q_proj, layer.encoder_attn.out_proj, heads)
        self.cross_norm = layer.encoder_attn_layer_norm
        self.feed_forward = _FeedForward(layer, activation)

    def forward(
        self, x: Tensor, bias: Tensor, past: tuple[Tensor, Tensor], cross: tuple[Tensor, Tensor], cross_bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        attended, key, value = self.attention.cached(x, bias, *past)
        x = self.attention_norm(x + attended)
        x = self.cross_norm(x + self.cross(x, *cross, cross_bias))
        return self.feed_forward(x), key, value


def _self_attention(attention: Attention, heads: int) -> SelfAttention:
    return SelfAttention(attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj, heads)


def _embedding(network: Marian) -> nn.Parameter:
    """The table with its scale multiplied in: [vocab, width]."""
    scale = network.settings.width**0.5 if network.settings.scales_embedding else 1.0
    return nn.Parameter(network.model.shared.weight.detach() * scale, requires_grad=False)


def _positions(half: Half) -> nn.Parameter:
    return nn.Parameter(half.embed_positions.weight.detach(), requires_grad=False)


def _layers(half: Half) -> list[EncoderLayer]:
    return [layer for layer in half.layers if isinstance(layer, EncoderLayer)]


def _decoder_layers(network: Marian) -> list[DecoderLayer]:
    return [layer for layer in network.model.decoder.layers if isinstance(layer, DecoderLayer)]


def _pairs(tensors: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(tensors[::2], tensors[1::2], strict=True))
