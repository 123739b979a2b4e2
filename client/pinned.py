"""A model's name with a version: "stt_whisper@2". Wherever an engine's name goes, a pinned one may go."""

_SEPARATOR = "@"


def pinned(model: str, version: str) -> str:
    """Return the name that asks for this version; "" leaves the choice to Triton."""
    return f"{model}{_SEPARATOR}{version}" if version else model


def split_pinned(name: str) -> tuple[str, str]:
    """Return the model and the version that a name asks for; "" when it asks for none."""
    model, _, version = name.partition(_SEPARATOR)
    return model, version
