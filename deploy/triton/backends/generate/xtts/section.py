"""What generation.json says under `xtts`: the numbers of one checkpoint. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from generate.fields import Fields


@dataclass(frozen=True, slots=True)
class XttsSection:
    """One version's numbers."""

    start_audio: int
    """The code that a generation begins with."""
    text_start: int
    text_stop: int
    """The tokens before and behind a text."""
    max_text_tokens: int
    """Most tokens of one piece, `text_start` and `text_stop` left out."""
    languages: tuple[str, ...]
    """As the checkpoint names them: "zh-cn"."""
    latents: int
    """Positions that a voice takes before the text."""
    code_stride: int
    """Samples of a code, at `input_sample_rate_hz`."""
    hop: int
    """Samples of a frame of the vocoder, at `sample_rate_hz`."""
    input_sample_rate_hz: int
    sample_rate_hz: int
    embedding: int
    """Numbers of a speaker embedding."""
    conditioning_length_s: float
    """So much of a reference is heard for the latents ..."""
    conditioning_chunk_s: float
    """... in chunks of this length, whose latents are averaged."""
    max_reference_s: float
    """So much of a reference is heard for the embedding."""

    @property
    def codes_per_s(self) -> float:
        """21.5 for the published checkpoint."""
        return self.input_sample_rate_hz / self.code_stride


def read_section(fields: Fields, vocab_size: int) -> XttsSection:
    """Read it; BadFolder names what is missing or odd."""
    numbers = ("start_audio", "text_start", "text_stop", "max_text_tokens", "latents", "code_stride", "hop")
    rates = ("input_sample_rate_hz", "sample_rate_hz", "embedding")
    fields.only(*numbers, *rates, "languages", "conditioning")
    languages = fields.raw.get("languages")
    if not isinstance(languages, list) or not languages or not all(isinstance(each, str) for each in languages):
        raise fields.wrong("languages", 'a list of language codes: ["en", "zh-cn"]')
    heard = fields.inner("conditioning")
    heard.only("length_s", "chunk_s", "max_reference_s")
    return XttsSection(
        start_audio=fields.integer("start_audio", 0, vocab_size - 1),
        text_start=fields.integer("text_start", 0),
        text_stop=fields.integer("text_stop", 0),
        max_text_tokens=fields.integer("max_text_tokens", 1),
        languages=tuple(languages),
        latents=fields.integer("latents", 1),
        code_stride=fields.integer("code_stride", 1),
        hop=fields.integer("hop", 1),
        input_sample_rate_hz=fields.integer("input_sample_rate_hz", 8000),
        sample_rate_hz=fields.integer("sample_rate_hz", 8000),
        embedding=fields.integer("embedding", 1),
        conditioning_length_s=heard.number("length_s", 1.0),
        conditioning_chunk_s=heard.number("chunk_s", 1.0),
        max_reference_s=heard.number("max_reference_s", 1.0),
    )
