import numpy as np
from haar_boxes import face_rows, score_of_hits
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.integers(1, 1000), min_size=2))
def test_scores_lie_in_0_to_1_and_grow_with_the_hits(hits):
    scores = score_of_hits(np.sort(hits))
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.diff(scores) >= 0).all()
    assert score_of_hits(np.array([6]))[0] == 0.5


def test_boxes_are_scaled_back_kept_inside_the_frame_and_the_largest_comes_first():
    places = np.array([[10, 20, 30, 30], [100, 50, 60, 60]])
    rows = face_rows(places, np.array([6, 18]), 2.0, (215, 640, 3))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[200, 100, 320, 215, 0.75], [20, 40, 80, 100, 0.5]]
