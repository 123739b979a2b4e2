"""Text as Triton hands it over: bytes. Needs no Triton."""

from .refusals import InvalidRequest


def decoded(raw: bytes, name: str) -> str:
    """Make text of one element of the STRING input `name`; InvalidRequest when it is not UTF-8."""
    try:
        return bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
