from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.models import history
from orchestrator.models.history import Action, Result, SwapRecord


def record(action, before, after, result=Result.DONE):
    return SwapRecord(
        at=history.now(), model="m", action=action, by="me", from_version=before, to_version=after, result=result
    )


def test_records_are_read_as_they_were_written(root):
    written = [record(Action.SWAP, None, 1), record(Action.ROLLBACK, 2, 1, Result.REFUSED)]
    for each in written:
        history.append(root, each)
    assert history.read(root, "m") == written


def test_a_line_that_was_cut_off_takes_no_other_along(root):
    history.append(root, record(Action.SWAP, 1, 2))
    path = root / "m" / "history.jsonl"
    path.write_bytes(path.read_bytes() + b'{"at": "20')
    history.append(root, record(Action.SWAP, 2, 3))
    assert [each.to_version for each in history.read(root, "m")] == [2, 3]


def test_a_model_that_was_never_swapped_has_no_history(root):
    assert history.read(root, "m") == []


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_rollbacks_go_back_the_whole_way(versions):
    path = [version for number, version in enumerate(versions) if number == 0 or version != versions[number - 1]]
    records = [record(Action.SWAP, one, other) for one, other in pairwise(path)]
    served = path[-1]
    for expected in reversed(path[:-1]):
        assert history.served_before(records, served, range(1, 10)) == expected
        records.append(record(Action.ROLLBACK, served, expected))
        served = expected
    assert history.served_before(records, served, range(1, 10)) is None


def test_a_version_that_was_deleted_is_stepped_over():
    records = [record(Action.SWAP, 1, 2), record(Action.SWAP, 2, 3)]
    assert history.served_before(records, 3, [1, 3]) == 1
