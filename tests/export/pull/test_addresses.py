"""What --from may be."""

import pytest

from export.pull.addresses import HubSource, UrlSource, parse_source
from export.pull.errors import SourceRefused

HUB = "https://huggingface.co"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("openai/whisper-tiny", HubSource("openai/whisper-tiny")),
        ("openai/whisper-tiny@v1", HubSource("openai/whisper-tiny", "v1")),
        (f"{HUB}/openai/whisper-tiny", HubSource("openai/whisper-tiny")),
        (f"{HUB}/openai/whisper-tiny/tree/abc", HubSource("openai/whisper-tiny", "abc")),
        (f"{HUB}/a/b/resolve/main/c/d.pth?download=true", HubSource("a/b", "main", "c/d.pth")),
        (f"{HUB}/a/b/blob/refs%2Fpr%2F1/d.pth", HubSource("a/b", "refs/pr/1", "d.pth")),
        ("https://elsewhere.org/x/w.pth#part", UrlSource("https://elsewhere.org/x/w.pth")),
    ],
)
def test_an_address_is_understood(text, source):
    assert parse_source(text, HUB) == source


@pytest.mark.parametrize(
    "text",
    [
        "whisper", "file:///etc/passwd", "ftp://a/b", "a/../b", f"{HUB}/datasets/a/b", f"{HUB}/a/b/commits/main",
        f"{HUB}/a/b/tree/main/folder", f"{HUB}/a/b/resolve/main/..%2F..%2Fx", "https://elsewhere.org/",
        "https://elsewhere.org/..", "https://me:secret@elsewhere.org/w.pth", "a/b@../x", "https:///x", "",
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused(text):
    with pytest.raises(SourceRefused):
        parse_source(text, HUB)


def test_a_password_is_not_repeated():
    with pytest.raises(SourceRefused) as caught:
        parse_source("https://me:secret@elsewhere.org/w.pth", HUB)
    assert "secret" not in str(caught.value)


def test_the_signature_of_an_address_is_not_shown():
    assert str(UrlSource("https://elsewhere.org/w.pth?signature=secret")) == "https://elsewhere.org/w.pth"
