"""How the gate of XTTS-v2 compares: every graph with coqui-tts, on drawn speakers and texts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from export.bundle.family import Progress
from export.bundle.measure import GateRecord, Measure, check_measures
from export.bundle.published import Published
from export.parity import Runner
from export.seq2seq.plan import EXACT_ABS
from export.xtts.drawn import Amount, draw_text
from export.xtts.gate_codes import PENALTIES, CodesSeen, Led, compare_codes, room, say
from export.xtts.gate_sound import SoundSeen, compare_sound
from export.xtts.gate_voice import VoiceSeen, compare_embeds, compare_voices
from export.xtts.published import WEIGHTS, read_weights
from export.xtts.reference import Reference
from export.xtts.runner import Decoder
from export.xtts.settings import LATENTS, XttsSettings

EXACT = "fp32"
AFFORDABLE = Amount()
_MEAN_KL, _AGREEMENT = 0.05, 0.7
"""The divergence tells a spoilt network from a rounded one. Random weights choose among a thousand codes of which the
best two lie close together, so small errors change places more often than in a trained network."""
_HIDDEN_RELATIVE, _LATENTS_RELATIVE, _COSINE = 0.1, 0.05, 0.999
_SNR_DB, _SPECTRUM_DB = 20.0, 3.0
_TIES = 300
"""Of so many codes one may be a tie."""


@dataclass
class _Seen:
    voice: VoiceSeen = field(default_factory=VoiceSeen)
    codes: CodesSeen = field(default_factory=CodesSeen)
    sound: SoundSeen = field(default_factory=SoundSeen)


def check(
    published: Published,
    settings: XttsSettings,
    run: Mapping[str, Runner],
    folder: Path,
    precision: str,
    seed: int,
    progress: Progress,
) -> GateRecord:
    """Compare with coqui-tts, loaded with the weights of the published folder; ParityMissed, NotFinite."""
    del folder  # what lies beside the graphs is read by the server alone
    progress(f"{precision}: loading the original")
    reference = Reference(published.path, read_weights(published.path / WEIGHTS))
    return compare(reference, settings, run, precision, seed, progress)


def compare(
    reference: Reference,
    settings: XttsSettings,
    run: Mapping[str, Runner],
    precision: str,
    seed: int,
    progress: Progress,
    amount: Amount = AFFORDABLE,
    open_decoder: Callable[[Runner, XttsSettings, int, int], Decoder] = Decoder,
) -> GateRecord:
    """Compare with an original that is loaded already."""
    rng, seen = np.random.default_rng(seed), _Seen()
    steps = amount.steps if precision == EXACT else amount.reduced_steps
    progress(f"{precision}: comparing voices with {reference.library}")
    voices = compare_voices(reference, run, rng, amount, seen.voice)
    said, embeds = [], []
    for tokens, penalty in zip(amount.text_tokens, PENALTIES, strict=True):
        progress(f"{precision}: {reference.library} speaks {amount.voices} x {steps} codes")
        text = draw_text(settings, rng, amount.voices, tokens)
        said.append(say(reference, voices.latents, text, steps, penalty))
        embeds.append(compare_embeds(reference, run, settings, text, said[-1].codes, seen.voice))
    progress(f"{precision}: comparing codes with {reference.library}")
    led = Led(open_decoder(run["decoder"], settings, *room(said, LATENTS)), run["embed"], settings.start_audio)
    compare_codes(said, embeds, led, settings, min(amount.alone, steps), seen.codes)
    progress(f"{precision}: comparing sound with {reference.library}")
    for group in said:
        compare_sound(reference, run["vocoder"], group.hidden, voices.embedding, amount, seen.sound)
    measures = _exact(seen) if precision == EXACT else _reduced(seen)
    check_measures(f"{precision} against {reference.library}", measures)
    return GateRecord(precision, seed, reference.library, _fed(amount, steps, seen), measures)


def _fed(amount: Amount, steps: int, seen: _Seen) -> Mapping[str, object]:
    return {
        "voices": amount.voices,
        "texts": amount.voices * len(PENALTIES),
        "text_tokens": list(amount.text_tokens),
        "codes_compared": seen.codes.compared,
        "codes_each": steps,
        "distinct_codes": len(seen.codes.distinct),
        "repetition_penalties": list(PENALTIES),
        "logits_standard_deviation": seen.codes.spread,
        "sound_root_mean_square": seen.sound.level,
    }


def _exact(seen: _Seen) -> tuple[Measure, ...]:
    codes = seen.codes
    return (
        *(Measure(name, value, EXACT_ABS) for name, value in _differences(seen).items()),
        Measure("greedy_codes_differing", codes.differing, 0),
        Measure("ties", codes.ties, max(1, codes.compared // _TIES)),
        *(Measure(name, value, None) for name, value in _shares(seen).items()),
    )


def _reduced(seen: _Seen) -> tuple[Measure, ...]:
    shares = _shares(seen)
    limits = {
        "next_code_kl_mean": Measure("next_code_kl_mean", shares["next_code_kl_mean"], _MEAN_KL),
        "greedy_agreement": Measure("greedy_agreement", shares["greedy_agreement"], _AGREEMENT, at_least=True),
        "hidden_relative": Measure("hidden_relative", shares["hidden_relative"], _HIDDEN_RELATIVE),
        "latents_relative": Measure("latents_relative", shares["latents_relative"], _LATENTS_RELATIVE),
        "embedding_cosine": Measure("embedding_cosine", shares["embedding_cosine"], _COSINE, at_least=True),
        "audio_snr_db": Measure("audio_snr_db", shares["audio_snr_db"], _SNR_DB, at_least=True),
        "audio_spectrum_db": Measure("audio_spectrum_db", shares["audio_spectrum_db"], _SPECTRUM_DB),
    }
    stated = {**shares, **_differences(seen)}
    return (*limits.values(), *(Measure(name, value, None) for name, value in stated.items() if name not in limits))


def _differences(seen: _Seen) -> dict[str, float]:
    """Greatest differences: from the original, of company from alone (`_batch`, `rows`), of windows from the whole."""
    voice, codes, sound = seen.voice, seen.codes, seen.sound
    return {
        "latents_max_abs": voice.latents_abs,
        "latents_batch_max_abs": voice.latents_batch,
        "embedding_max_abs": voice.embedding_abs,
        "embedding_batch_max_abs": voice.embedding_batch,
        "text_embeds_max_abs": voice.text_abs,
        "code_embeds_max_abs": voice.codes_abs,
        "logits_max_abs": codes.logits_abs,
        "hidden_max_abs": codes.hidden_abs,
        "rows_max_abs": codes.rows_abs,
        "audio_max_abs": sound.audio_abs,
        "audio_batch_max_abs": sound.batch_abs,
        "audio_window_max_abs": sound.window_abs,
    }


def _shares(seen: _Seen) -> dict[str, float]:
    voice, codes, sound = seen.voice, seen.codes, seen.sound
    return {
        "next_code_kl_mean": float(np.mean(codes.divergences)),
        "next_code_kl_max": float(np.max(codes.divergences)),
        "greedy_agreement": 1 - (codes.differing + codes.ties) / codes.compared,
        "hidden_relative": codes.hidden_relative,
        "latents_relative": voice.latents_relative,
        "embedding_cosine": voice.embedding_cosine,
        "audio_snr_db": sound.snr_db,
        "audio_spectrum_db": sound.spectrum_db,
    }
