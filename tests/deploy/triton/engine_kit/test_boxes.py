import numpy as np
from engine_kit.boxes import padded


def test_frames_get_as_many_rows_as_the_fullest_and_at_least_one():
    one, two = np.ones((1, 5), np.float32), np.full((2, 5), 2, np.float32)
    none = np.zeros((0, 5), np.float32)
    stacked = padded([one, none, two])
    assert stacked.dtype == np.float32
    assert stacked[..., 4].tolist() == [[1, 0], [0, 0], [2, 2]]
    assert padded([none]).tolist() == [[[0] * 5]]
