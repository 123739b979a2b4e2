from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.errors import RangeNotSatisfiable
from orchestrator.rest.ranges import parse_range


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_range_never_leaves_the_artefact(first, last, size):
    assume(first <= last)
    try:
        got_first, got_last, status = parse_range(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size
        return
    assert status == 206
    assert (got_first, got_last) == (first, min(last, size - 1))


@given(st.text(), st.integers(1, 1000))
def test_nonsense_means_the_whole(text, size):
    assume(not text.replace(" ", "").startswith("bytes="))
    assert parse_range(text, size) == (0, size - 1, 200)


def test_several_ranges_or_a_reversed_one_mean_the_whole():
    for text in ("bytes=0-1,3-4", "bytes=5-2", "bytes=-", "bytes=", None):
        assert parse_range(text, 10) == (0, 9, 200)
