"""What a version's generation.json says."""

from typing import Any

from export.xtts.settings import EMBEDDING, LATENTS, XttsSettings

CODE_STRIDE = 1024
"""Samples of the GPT's rate that one code stands for."""
HOP = 256
"""Samples of the vocoder's rate for one frame of its features."""
GPT_SAMPLE_RATE_HZ = 22050
SAMPLE_RATE_HZ = 24000
_SAMPLING = {"temperature": 0.75, "top_k": 50, "top_p": 0.85, "repetition_penalty": 10.0}
"""As the original speaks when it is not told otherwise."""


def generation_settings(settings: XttsSettings) -> dict[str, Any]:
    """Return what generation.json says (docs/GENERATE.md)."""
    shape = settings.shape
    return {
        "family": "xtts",
        "layers": shape.layers,
        "heads": shape.heads,
        "head_dim": shape.head_dim,
        "vocab_size": shape.vocab_size,
        "max_positions": shape.max_positions,
        "eos": [settings.stop_audio],
        "pad": settings.stop_audio,
        "defaults": {"max_new_tokens": settings.max_new_tokens, **_SAMPLING},
        "xtts": {
            "start_audio": settings.start_audio,
            "text_start": settings.text_start,
            "text_stop": settings.text_stop,
            "max_text_tokens": settings.max_text_tokens,
            "languages": list(settings.languages),
            "latents": LATENTS,
            "code_stride": CODE_STRIDE,
            "hop": HOP,
            "input_sample_rate_hz": GPT_SAMPLE_RATE_HZ,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "embedding": EMBEDDING,
            "conditioning": {
                "length_s": settings.conditioning_s,
                "chunk_s": settings.conditioning_chunk_s,
                "max_reference_s": settings.max_reference_s,
            },
        },
    }
