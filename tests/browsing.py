"""What tests of the page share: Debian's Chromium, headless."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.waiting import eventually

CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),  # no-sandbox: tests may run as root
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run it until the block ends."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


def wait_until(page, expression):
    """As page.wait_for_function, which evaluates text in the page, and the page's policy rightly forbids that."""
    eventually(lambda: page.evaluate(expression), what=expression)
