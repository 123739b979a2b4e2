import itertools

import pytest

from orchestrator.errors import IllegalTransition
from orchestrator.store.states import ACTIVE_STATES, FINAL_STATES, DubState, check_transition

LEGAL = {
    ("queued", "running"),
    ("queued", "failed"),
    ("queued", "cancelled"),
    ("running", "running"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(DubState, DubState)))
def test_exactly_the_legal_transitions_pass(before, after):
    if (before.value, after.value) in LEGAL:
        check_transition(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
            check_transition(before, after)


def test_every_state_is_either_active_or_final():
    assert set(ACTIVE_STATES) | set(FINAL_STATES) == set(DubState)
    assert {"queued", "running"} == set(ACTIVE_STATES)
