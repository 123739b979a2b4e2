import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.sentence_boundary.scores import reliability, scores


def test_scores_count_what_they_say():
    complete = np.array([True, True, True, False, False])
    answers = np.array([0.95, 0.9, 0.2, 0.88, 0.1])
    found = scores(complete, answers)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.precision_at_gate == pytest.approx(2 / 3)
    assert found.recall_at_gate == pytest.approx(2 / 3)


def test_probabilities_that_mean_what_they_say_have_no_calibration_error():
    answers = np.repeat([0.25, 0.75], 400)
    complete = np.tile([True, False, False, False], 100).tolist() + np.tile([True, True, True, False], 100).tolist()
    assert scores(np.array(complete), answers).calibration_error == pytest.approx(0, abs=1e-9)


def test_a_certain_fool_has_all_of_it():
    assert scores(np.array([False] * 10), np.ones(10)).calibration_error == pytest.approx(1)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1))
def test_every_answer_is_in_one_bin(pairs):
    complete = np.array([truth for truth, _ in pairs])
    answers = np.array([answer for _, answer in pairs], np.float64)
    assert sum(count for count, _, _ in reliability(complete, answers)) == len(pairs)
    found = scores(complete, answers)
    assert 0 <= found.calibration_error <= 1


def test_nothing_that_passes_is_no_precision():
    assert scores(np.array([True]), np.array([0.1])).precision_at_gate == 0
