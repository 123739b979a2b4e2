"""For engines that run other programs."""

import os


def child_environment() -> dict[str, str]:
    """Return the environment for a program of the system's: without the library path that only Triton's stub needs."""
    return {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
