"""A gateway in a process of its own that kills itself (SIGKILL) at one step of an upload.

python -m tests.fakes.dying_gateway FOLDER STEP: prints its address, then serves until it dies. STEP names the call
that is never made: "create" (the media are stored), "publish" (the row is inserted), "mark_published" (the job is
published).
"""

import os
import signal
import sys
from pathlib import Path

from orchestrator.queues.memory import MemoryBroker
from orchestrator.settings import BrokerSettings
from orchestrator.store.dubs import DubStore
from tests.fakes.gateway import running_gateway

STEPS = {"create": DubStore, "publish": MemoryBroker, "mark_published": DubStore}


def die(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, step: str) -> None:
    setattr(STEPS[step], step, die)
    with running_gateway(folder, broker=MemoryBroker(BrokerSettings())) as gateway:
        print(gateway.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
