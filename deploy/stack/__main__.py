"""`python -m deploy.stack up|down|status|serve`: what the Makefile calls."""

import argparse
import signal
import sys
from pathlib import Path

from client.errors import PolylipError
from deploy.stack.stack import Stack, watch
from deploy.triton.embedded import CHECKOUT


def main(argv: list[str]) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "serve"])
    parser.add_argument("--run-dir", type=Path, default=CHECKOUT / ".run", help="logs, data and process ids")
    arguments = parser.parse_args(argv)
    stack = Stack(arguments.run_dir)
    try:
        return {"up": up, "down": down, "status": status, "serve": serve}[arguments.command](stack)
    except PolylipError as error:
        print(error, file=sys.stderr)
        return 1


def up(stack: Stack) -> int:
    """Start the stack and leave it running."""
    info = stack.up()
    print(f"Polylip is up: {info.gateway_url}   (logs: {info.logs}; stop it with: make down)")
    return 0


def down(stack: Stack) -> int:
    """Stop the stack."""
    stack.down()
    return 0


def status(stack: Stack) -> int:
    """Print a line for each service."""
    for name, line in stack.status().items():
        print(f"{name:12} {line}")
    return 0


def serve(stack: Stack) -> int:
    """Run the stack until Ctrl-C or SIGTERM, or until one of its services ends by itself (exit status 1)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both stop it in order, also while it starts
    dead: list[str] = []
    try:
        info = stack.up()
        print(f"Polylip is up: {info.gateway_url}   (logs: {info.logs}; Ctrl-C stops it)", flush=True)
        dead = watch(stack)
    except KeyboardInterrupt:
        print("stopping", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        stack.down()
    if dead:
        print(f"{', '.join(dead)} ended by itself; see {stack.logs}", file=sys.stderr)
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
