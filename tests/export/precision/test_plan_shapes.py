import pytest

from export.errors import PrecisionUnavailable
from export.family import family
from export.precision.plan_shapes import profile_shapes
from export.signature import Tensor


def test_crops_of_one_size_come_in_batches_of_1_to_64():
    shapes = profile_shapes(family("wav2lip").signature.inputs)
    assert shapes["FACES"] == ((1, 96, 96, 3), (8, 96, 96, 3), (64, 96, 96, 3))
    assert shapes["MEL"] == ((1, 80, 16), (8, 80, 16), (64, 80, 16))


def test_pictures_of_any_size_have_a_range_of_heights_and_widths():
    (shapes,) = profile_shapes(family("s3fd").signature.inputs).values()
    assert shapes == ((1, 32, 32, 3), (4, 192, 341, 3), (16, 960, 960, 3))


def test_an_axis_without_a_range_is_refused_by_name():
    with pytest.raises(PrecisionUnavailable, match="depth"):
        profile_shapes([Tensor("X", "FP32", (3, "depth"))])
