import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ort_batching import batch_size, merge, mergeable, split


def request_of(size: int, width: int = 2, name: str = "X") -> dict[str, np.ndarray]:
    return {name: np.arange(size * width, dtype=np.float32).reshape(size, width)}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_what_is_merged_comes_apart_again(sizes: list[int]) -> None:
    requests = [request_of(size) for size in sizes]
    parts = split(merge(requests), [batch_size(request) for request in requests])
    assert [part["X"].tolist() for part in parts] == [request["X"].tolist() for request in requests]


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([1, 2]), st.sampled_from("XZ"))))
def test_every_request_is_in_exactly_one_group_of_its_like(described: list[tuple[int, int, str]]) -> None:
    groups = mergeable([request_of(*description) for description in described], batched=True)
    assert sorted(position for group in groups for position in group) == list(range(len(described)))
    for group in groups:
        assert len({described[position][1:] for position in group}) == 1
        assert group == sorted(group)


def test_without_a_batch_dimension_every_request_runs_by_itself() -> None:
    assert mergeable([request_of(1), request_of(1)], batched=False) == [[0], [1]]


def test_a_single_request_is_not_copied() -> None:
    request = request_of(3)
    assert merge([request])["X"] is request["X"]


@pytest.mark.parametrize("shape", [(), (3, 2)])
def test_an_answer_without_a_row_for_each_item_is_refused(shape: tuple) -> None:
    with pytest.raises(ValueError, match="2 items"):
        split({"Y": np.zeros(shape)}, [1, 1])
