"""Lets a random network stop speaking after a while, as a trained one does at the end of its text."""

import math

import torch
from torch import Tensor

from export.xtts.network import Gpt
from export.xtts.settings import XttsSettings

_TYPICAL = 60
"""Codes that half of all texts have: 2.8 s of speech."""
_NARROW = 25
"""Codes in which a text that has not ended becomes more likely to: the ramp rises by 1."""
_RAMP = 3.0
_STOP_SPREAD = 3.0
_TEMPERATURE, _TOP_K, _TOP_P = 0.75, 50, 0.85
"""As XTTS-v2 is sampled."""
_TEXT_TOKENS = 20
_STEPS = 24
"""Halvings of the interval in which the stop code's bias is looked for."""


def set_ending(gpt: Gpt, settings: XttsSettings, latents: Tensor) -> None:
    """Give positions a direction in which they grow, have the stop code look along it, and set its bias.

    The bias is such that speech of random codes has ended after _TYPICAL codes in half of the cases. `latents`: of any
    voices, [n, 32, width].
    """
    direction = torch.randn(settings.width)
    direction /= direction.norm()
    places = torch.arange(settings.audio_positions)
    ramp = _RAMP * ((places - _TYPICAL) / _NARROW).clamp(-2, 4)
    gpt.mel_pos_embedding.emb.weight.add_(ramp[:, None] * direction)
    gpt.mel_head.weight[settings.stop_audio] = _STOP_SPREAD * direction
    gpt.mel_head.bias[settings.stop_audio] = 0
    logits = _logits_of_random_codes(gpt, settings, latents)
    low, high = -100.0, 100.0
    for _ in range(_STEPS):
        bias = (low + high) / 2
        low, high = (low, bias) if _share_ended(logits, settings.stop_audio, bias) > 0.5 else (bias, high)
    gpt.mel_head.bias[settings.stop_audio] = round(low * 8) / 8


def _logits_of_random_codes(gpt: Gpt, settings: XttsSettings, latents: Tensor) -> Tensor:
    """Of the first _TYPICAL codes: [n, _TYPICAL, codes]."""
    voices = len(latents)
    text = torch.randint(settings.text_tokens, (voices, _TEXT_TOKENS))
    codes = torch.randint(settings.audio_codes - 2, (voices, _TYPICAL))
    codes[:, 0] = settings.start_audio
    told = gpt.text_embedding(text) + gpt.text_pos_embedding.emb.weight[:_TEXT_TOKENS]
    spoken = gpt.mel_embedding(codes) + gpt.mel_pos_embedding.emb.weight[:_TYPICAL]
    logits: Tensor = gpt(torch.cat([latents, told, spoken], dim=1))[0][:, -_TYPICAL:]
    return logits


def _share_ended(logits: Tensor, stop: int, bias: float) -> float:
    """Return the probability that one of the codes would have been the stop code, the mean of all rows."""
    biased = logits.clone()
    biased[:, :, stop] += bias
    best, codes = (biased / _TEMPERATURE).topk(_TOP_K, dim=-1)
    probabilities = best.softmax(dim=-1)
    kept = probabilities.cumsum(dim=-1) - probabilities < _TOP_P
    probabilities = probabilities * kept
    stops = (probabilities * (codes == stop)).sum(dim=-1) / probabilities.sum(dim=-1)
    going_on = torch.exp(torch.log1p(-stops.clamp(max=1 - math.ulp(1.0))).sum(dim=1))
    return float(1 - going_on.mean())
