from pathlib import Path

import numpy as np
from google.protobuf import text_format
from haar_boxes import face_rows, score_of_hits
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from orchestrator.media.clip import FaceBox
from orchestrator.visual.geometry import face_region


@given(st.lists(st.integers(1, 1000), min_size=2))
def test_scores_lie_in_0_to_1_and_grow_with_the_hits(hits):
    scores = score_of_hits(np.sort(hits))
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.diff(scores) >= 0).all()
    assert score_of_hits(np.array([6]))[0] == 0.5


def test_boxes_are_scaled_back_reach_the_chin_and_the_largest_comes_first():
    places = np.array([[10, 20, 50, 50], [100, 50, 100, 100]])
    rows = face_rows(places, np.array([6, 18]), 2.0, (480, 640, 3))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [[208, 116, 392, 334, 0.75], [24, 48, 116, 157, 0.5]], rtol=1e-6)


def test_boxes_stay_inside_the_frame():
    [row] = face_rows(np.array([[200, 150, 100, 100]]), np.array([6]), 1.0, (240, 290, 3))
    np.testing.assert_allclose(row[:4], [204, 158, 290, 240], rtol=1e-6)


def test_lips_warp_gets_the_crop_that_it_was_made_for():
    """Its mouths were measured in crops from the window's top, wider by 0.2 on both sides and 1.4 high."""
    config = text_format.Parse(
        Path("model_repository/lips_warp/config.pbtxt").read_text(), model_config_pb2.ModelConfig()
    )
    margins = tuple(map(float, config.parameters["crop_margins"].string_value.split()))
    [row] = face_rows(np.array([[200, 100, 100, 100]]), np.array([9]), 1.0, (480, 640, 3))
    np.testing.assert_allclose(face_region(FaceBox(*row.tolist()), margins), [180, 100, 320, 240], atol=0.05)
