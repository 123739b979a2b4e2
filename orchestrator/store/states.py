"""The states of a dub, and which may follow which."""

from enum import StrEnum

from orchestrator.errors import IllegalTransition


class DubState(StrEnum):
    """Where a dub is; the values are the ones that REST, events and the database use."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when no other state follows."""
        return not _FOLLOWERS[self]


_FOLLOWERS: dict[DubState, frozenset[DubState]] = {
    DubState.QUEUED: frozenset({DubState.RUNNING, DubState.FAILED, DubState.CANCELLED}),
    # running -> running: the job was delivered again because its owner died
    DubState.RUNNING: frozenset({DubState.RUNNING, DubState.SUCCEEDED, DubState.FAILED, DubState.CANCELLED}),
    DubState.SUCCEEDED: frozenset(),
    DubState.FAILED: frozenset(),
    DubState.CANCELLED: frozenset(),
}

ACTIVE_STATES = tuple(state for state in DubState if not state.final)
FINAL_STATES = tuple(state for state in DubState if state.final)


def check_transition(before: DubState, after: DubState) -> None:
    """Raise IllegalTransition unless `after` may follow `before`."""
    if after not in _FOLLOWERS[before]:
        raise IllegalTransition(f"a dub cannot go from {before} to {after}")
