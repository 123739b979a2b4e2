"""What a version's generation.json says, and a published folder's generation_config.json."""

from typing import Any

from export.whisper.settings import WhisperSettings
from export.whisper.vocabulary import Vocabulary


def generation_settings(settings: WhisperSettings, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what generation.json says (docs/GENERATE.md, docs/SPEECH.md)."""
    shape = settings.shape
    section: dict[str, Any] = {
        "multilingual": vocabulary.multilingual,
        "n_mels": settings.n_mels,
        "audio_positions": settings.audio_positions,
        "sot": vocabulary.special["sot"],
        "no_timestamps": vocabulary.special["no_timestamps"],
        "no_speech": vocabulary.special["no_speech"],
    }
    if vocabulary.multilingual:
        section |= {"transcribe": vocabulary.special["transcribe"], "languages": dict(vocabulary.languages)}
    return {
        "family": "whisper",
        "layers": shape.layers,
        "heads": shape.heads,
        "head_dim": shape.head_dim,
        "vocab_size": shape.vocab_size,
        "max_positions": shape.max_positions,
        "eos": vocabulary.end,
        "pad": vocabulary.end,
        "suppress": list(vocabulary.suppress),
        "begin_suppress": list(vocabulary.begin_suppress),
        "defaults": {"max_new_tokens": shape.max_positions // 2},
        "whisper": section,
    }


def generation_config(settings: WhisperSettings, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what generation_config.json of a published folder has."""
    special = vocabulary.special
    layers = range(settings.decoder_layers // 2, settings.decoder_layers)
    config: dict[str, Any] = {
        "alignment_heads": [[layer, head] for layer in layers for head in range(settings.decoder_heads)],
        "begin_suppress_tokens": list(vocabulary.begin_suppress),
        "bos_token_id": vocabulary.end,
        "decoder_start_token_id": special["sot"],
        "eos_token_id": vocabulary.end,
        "is_multilingual": vocabulary.multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": settings.text_positions,
        "no_timestamps_token_id": special["no_timestamps"],
        "pad_token_id": vocabulary.end,
        "prev_sot_token_id": special["start_of_previous"],
        "return_timestamps": False,
        "suppress_tokens": list(vocabulary.suppress),
    }
    if vocabulary.multilingual:
        config["lang_to_id"] = {f"<|{code}|>": token for code, token in vocabulary.languages.items()}
        config["task_to_id"] = {name: special[name] for name in ("transcribe", "translate")}
    return config
