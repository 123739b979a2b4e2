"""The gate's first part: what is made of a speaker's sound, and of a text, against the original."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from export.parity import Runner, check_finite, max_abs_difference
from export.seq2seq.runner import Floats, Ids
from export.xtts.drawn import Amount, draw_sound
from export.xtts.reference import Reference
from export.xtts.settings import XttsSettings

_SHORTEST_S = 0.5
"""Of a last piece of sound; a third of a second is the original's bound."""


@dataclass(frozen=True)
class Voices:
    """Speakers as the original hears them."""

    latents: Floats
    """[voices, 32, width]."""
    embedding: Floats
    """[voices, 512]."""


@dataclass
class VoiceSeen:
    """Greatest differences; `..._batch`: of one in a batch from the same alone."""

    latents_abs: float = 0.0
    latents_relative: float = 0.0
    """Root mean square of the differences over that of the latents."""
    latents_batch: float = 0.0
    embedding_abs: float = 0.0
    embedding_cosine: float = 1.0
    embedding_batch: float = 0.0
    text_abs: float = 0.0
    codes_abs: float = 0.0


def compare_voices(
    reference: Reference, run: Mapping[str, Runner], rng: np.random.Generator, amount: Amount, seen: VoiceSeen
) -> Voices:
    """Draw speakers, compare latents and embeddings; return the original's. NotFinite."""
    sounds = [draw_sound(rng, amount.voice_s) for _ in range(amount.voices)]
    voices = _compare(reference, run, sounds, seen)
    _compare(reference, run, [draw_sound(rng, _SHORTEST_S)], seen)
    return voices


def _compare(reference: Reference, run: Mapping[str, Runner], sounds: list[Floats], seen: VoiceSeen) -> Voices:
    mels = np.stack([reference.conditioning_mel(sound) for sound in sounds])
    expected = reference.latents(mels)
    got, alone = _both(run["conditioning"], mels, "latents")
    seen.latents_abs = max(seen.latents_abs, max_abs_difference(expected, got))
    seen.latents_relative = max(seen.latents_relative, relative(expected, got))
    seen.latents_batch = max(seen.latents_batch, max_abs_difference(got, alone))
    heard = np.stack([reference.speaker_mel(reference.resampled(sound)) for sound in sounds])
    embedding = reference.embedding(heard)
    got, alone = _both(run["speaker"], heard, "embedding")
    seen.embedding_abs = max(seen.embedding_abs, max_abs_difference(embedding, got))
    seen.embedding_cosine = min(seen.embedding_cosine, float((embedding * got).sum(axis=-1).min()))
    seen.embedding_batch = max(seen.embedding_batch, max_abs_difference(got, alone))
    return Voices(expected, embedding)


def _both(run: Runner, mels: Floats, output: str) -> tuple[Floats, Floats]:
    """Run all at once, and one by one."""
    together = run({"mel": mels})[output]
    alone = np.concatenate([run({"mel": mels[row : row + 1]})[output] for row in range(len(mels))])
    check_finite({output: together, f"{output} alone": alone}, "outputs of the exported graph")
    return together, alone


def relative(expected: Floats, got: Floats) -> float:
    """Return the root mean square of the differences over that of what was expected."""
    return float(np.linalg.norm(expected - got) / np.linalg.norm(expected))


def compare_embeds(
    reference: Reference, run: Mapping[str, Runner], settings: XttsSettings, text: Ids, codes: Ids, seen: VoiceSeen
) -> Floats:
    """Compare the embeddings of texts [B, T] and of codes [B, n] after the start code; return the texts' own.

    [B, T + 2, width], with start and stop.
    """
    whole = np.pad(text, ((0, 0), (1, 1)), constant_values=((0, 0), (settings.text_start, settings.text_stop)))
    found = run["text"]({"input_ids": whole})["text_embeds"]
    said = np.pad(codes, ((0, 0), (1, 0)), constant_values=settings.start_audio)
    places = np.broadcast_to(np.arange(said.shape[1]), said.shape).copy()
    embeds = run["embed"]({"input_ids": said, "position_ids": places})["inputs_embeds"]
    check_finite({"text_embeds": found, "inputs_embeds": embeds}, "outputs of the exported graph")
    seen.text_abs = max(seen.text_abs, max_abs_difference(reference.text_embeds(whole), found))
    seen.codes_abs = max(seen.codes_abs, max_abs_difference(reference.code_embeds(said), embeds))
    return found
