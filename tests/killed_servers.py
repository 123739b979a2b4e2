"""Servers that tests use and then kill: an orderly stop takes seconds, and has tests of its own (tests/deploy)."""

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.rabbitmq.node import RabbitNode
from deploy.triton.embedded import EmbeddedTriton


@contextlib.contextmanager
def serving(models: Sequence[str], **options: Any) -> Iterator[EmbeddedTriton]:
    """A running embedded Triton; options as EmbeddedTriton takes them."""
    with EmbeddedTriton(models, **options) as server:
        try:
            yield server
        finally:
            if server.process.is_running():  # a test may have ended it
                os.kill(server.pid, signal.SIGKILL)  # its guard then removes what it leaves


@contextlib.contextmanager
def running_node(node: RabbitNode) -> Iterator[RabbitNode]:
    """The node, started."""
    with node:
        try:
            yield node
        finally:
            for record in node.records:
                record.stop(grace_s=0)
