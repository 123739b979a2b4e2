"""What tests of the page share: Debian's Chromium, headless."""

from tests.waiting import eventually

CHROMIUM_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),  # no-sandbox: tests may run as root
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
)


def wait_until(page, expression):
    """As page.wait_for_function, which evaluates text in the page, and the page's policy rightly forbids that."""
    eventually(lambda: page.evaluate(expression), what=expression)
