"""A speaker's voice: the GPT's latents and the vocoder's embedding, made of a reference or built in.

Voices are remembered by what they were made of, in memory alone: a recording of somebody's voice, and what identifies
it, is never written to disk.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from engine_kit.refusals import InvalidRequest, require_finite
from numpy.typing import NDArray

from generate.fields import BadFolder
from generate.folder import FeedForward, VersionFolder

from .options import XttsOptions
from .section import XttsSection
from .sound import REFERENCE_RATE_HZ, conditioning_mel, speaker_mel, to_16k

Floats = NDArray[np.float32]

FULL_SCALE_LIMIT = 2.0
"""Resamplers overshoot 1.0 a little; far beyond it the samples are integers, not -1..1."""
_SILENCE_PEAK = 1e-3
"""60 dB below full scale: there is nobody to be heard."""
_CLIPPED_AT, _CLIPPED_SHARE = 0.999, 0.05
"""More than this share of the samples at full scale: a voice that is mostly distortion."""
_LEAST_CHUNK_S = 0.33
"""The original's: a shorter rest of a reference is left out of the latents."""


@dataclass(frozen=True)
class Voice:
    """What a piece of text is spoken with."""

    latents: Floats
    """[latents, width]."""
    embedding: Floats
    """[1, embedding]."""
    key: str
    """What it was made of: a name, or the reference's hash."""


class Voices:
    """Makes voices, and remembers them."""

    def __init__(self, folder: VersionFolder, section: XttsSection, options: XttsOptions) -> None:
        self._section, self._options = section, options
        self._conditioning = folder.graph("conditioning.onnx")
        self._speaker = folder.graph("speaker.onnx")
        self._built_in = _built_in(folder, section)
        self._known: OrderedDict[str, Voice] = OrderedDict()
        if options.default_voice and options.default_voice not in self._built_in:
            names = ", ".join(self._built_in) or "none"
            raise BadFolder(folder.path, f"default_voice {options.default_voice!r} is not there; built in: {names}")

    def of(self, audio: Floats) -> Voice:
        """Return the voice of SPEAKER_AUDIO [n]; empty: the built-in one. InvalidRequest if it cannot be heard."""
        if not audio.size:
            return self._default()
        checked = self._checked(audio)
        key = hashlib.sha256(checked.tobytes()).hexdigest()
        if key not in self._known:
            self._known[key] = Voice(self._latents(checked), self._embedding(checked), key)
            if len(self._known) > self._options.cached_voices:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _default(self) -> Voice:
        name = self._options.default_voice or next(iter(self._built_in), "")
        if not name:
            raise InvalidRequest("SPEAKER_AUDIO is empty, and this version has no built-in voice")
        return self._built_in[name]

    def _checked(self, audio: Floats) -> Floats:
        require_finite(audio, "SPEAKER_AUDIO")
        length_s = audio.size / REFERENCE_RATE_HZ
        least, most = self._options.min_speaker_audio_s, self._options.max_speaker_audio_s
        if not least <= length_s <= most:
            raise InvalidRequest(f"SPEAKER_AUDIO lasts {length_s:.2f} s, {least:g}..{most:g} s are taken")
        peak = float(np.abs(audio).max())
        if peak < _SILENCE_PEAK:
            raise InvalidRequest(f"SPEAKER_AUDIO is silent, its peak is {peak:.2g}")
        if peak > FULL_SCALE_LIMIT:
            raise InvalidRequest(f"SPEAKER_AUDIO must lie in -1..1, its peak is {peak:g}")
        clipped = float(np.mean(np.abs(audio) >= _CLIPPED_AT))
        if clipped > _CLIPPED_SHARE:
            raise InvalidRequest(f"SPEAKER_AUDIO is clipped: {clipped:.0%} of its samples are at full scale")
        kept = max(self._section.conditioning_length_s, self._section.max_reference_s)
        return np.clip(audio[: int(kept * REFERENCE_RATE_HZ)], -1.0, 1.0)

    def _latents(self, audio: Floats) -> Floats:
        """Return the mean of the latents of each chunk."""
        heard = audio[: int(self._section.conditioning_length_s) * REFERENCE_RATE_HZ]
        step = int(self._section.conditioning_chunk_s) * REFERENCE_RATE_HZ
        chunks = [heard[start : start + step] for start in range(0, len(heard), step)]
        long_enough = [chunk for chunk in chunks if len(chunk) >= _LEAST_CHUNK_S * REFERENCE_RATE_HZ]
        found = [self._conditioning({"mel": conditioning_mel(chunk)[None]})[0][0] for chunk in long_enough]
        mean: Floats = np.mean(np.stack(found), axis=0)
        return mean

    def _embedding(self, audio: Floats) -> Floats:
        heard = audio[: int(self._section.max_reference_s) * REFERENCE_RATE_HZ]
        found: Floats = self._speaker({"mel": speaker_mel(to_16k(heard))[None]})[0]
        return found


def _built_in(folder: VersionFolder, section: XttsSection) -> Mapping[str, Voice]:
    """Read voices.npz, in its own order; {} without it."""
    file = folder.optional_file("voices.npz")
    if file is None:
        return {}
    try:
        with np.load(file, allow_pickle=False) as found:
            names, latents, embeddings = (found[name] for name in ("names", "latents", "embeddings"))
    except (OSError, ValueError, KeyError) as error:
        raise BadFolder(folder.path, f"voices.npz cannot be read: {error}") from error
    if latents.shape[:2] != (len(names), section.latents) or embeddings.shape != (len(names), section.embedding):
        raise BadFolder(folder.path, f"voices.npz holds {latents.shape} latents and {embeddings.shape} embeddings")
    pairs: Any = zip(names.tolist(), latents, embeddings, strict=True)
    return {
        name: Voice(latent.astype(np.float32), embedding.astype(np.float32)[None], name)
        for name, latent, embedding in pairs
    }


def text_embeddings(graph: FeedForward, tokens: tuple[int, ...]) -> Floats:
    """Return what text.onnx makes of a text's tokens, start and stop included: [length, width]."""
    found: Floats = graph({"input_ids": np.array([tokens], np.int64)})[0][0]
    return found
