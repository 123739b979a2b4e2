"""Models whose weights are no part of the checkout: `polylip models export` makes their versions from checkpoints."""

FAMILY_OF = {
    "lips_wav2lip": "wav2lip",
    "s3fd": "s3fd",
    "faces_s3fd": "s3fd",
    "stt_whisper": "whisper",
    "mt_opus": "marian",
}
"""Triton model -> family that the export command knows; one that needs others has the family of those."""
_PAGES = {"wav2lip": "LIPS", "s3fd": "FACES", "whisper": "SPEECH", "marian": "TRANSLATION"}


def not_loaded_reason(model: str) -> str:
    """Say why a model that Triton does not list is not loaded, as far as can be told from here."""
    if model not in FAMILY_OF:
        return "it is not loaded"
    return f"it is not loaded; if it has no version yet: {export_command(model)}"


def export_command(model: str) -> str:
    """Return what to run for a version of the model, or of those that it needs."""
    family = FAMILY_OF[model]
    return f"run `polylip models export {family} --checkpoint PATH` (docs/{_PAGES[family]}.md)"
