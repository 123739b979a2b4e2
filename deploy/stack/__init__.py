"""The local stack: the processes that production runs, on one machine, each in its own session."""

from deploy.stack.stack import Stack, StackInfo

__all__ = ["Stack", "StackInfo"]
