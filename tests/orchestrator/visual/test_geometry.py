import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.visual.geometry import PixelSpan, Rect, face_region, pixels_inside
from tests.visual_factory import face_at

coordinates = st.floats(-2000, 4000, allow_nan=False)
sizes = st.floats(8, 2000)
shares = st.floats(0, 1)
margins = st.tuples(*[st.floats(0, 0.6)] * 4)


@given(coordinates, coordinates, sizes, sizes, margins)
def test_a_face_square_is_square_and_holds_the_box_with_its_margins(x, y, width, height, margin):
    face = face_at(x, y, width, height)
    square = face_region(face, margin)
    left, top, right, bottom = margin
    assert square.width == pytest.approx(square.height)
    assert square.x1 <= face.x1 - left * width + 1e-6
    assert square.y1 <= face.y1 - top * height + 1e-6
    assert square.x2 >= face.x2 + right * width - 1e-6
    assert square.y2 >= face.y2 + bottom * height - 1e-6


@given(coordinates, coordinates, sizes, st.tuples(shares, shares, shares, shares), st.integers(16, 512))
def test_a_part_of_the_square_is_the_same_part_of_the_crop(x, y, side, part, size_px):
    square = Rect(x, y, x + side, y + side)
    in_crop = square.part(part).in_units_of(square, size_px)
    assert tuple(in_crop) == pytest.approx(tuple(share * size_px for share in part), abs=1e-6)


@given(coordinates, coordinates, sizes, sizes, st.integers(1, 500), st.integers(1, 500))
def test_pixels_inside_are_those_whose_centres_are_inside(x, y, width, height, columns, rows):
    rect = Rect(x, y, x + width, y + height)
    span = pixels_inside(rect, columns, rows)
    xs = {i for i in range(columns) if rect.x1 <= i + 0.5 <= rect.x2}
    ys = {i for i in range(rows) if rect.y1 <= i + 0.5 <= rect.y2}
    assert span.empty == (not xs or not ys)
    if not span.empty:
        assert set(range(span.left, span.right)) == xs
        assert set(range(span.top, span.bottom)) == ys


def test_a_chroma_sample_is_co_sited_with_the_even_luma_columns():
    # Luma pixel 2 has its centre at x 2.5; chroma sample 1 has its own at 1.5.
    assert Rect(2.5, 3.0, 4.5, 5.0).on_chroma() == Rect(1.5, 1.5, 2.5, 2.5)


def test_a_span_tells_its_size_and_its_place():
    span = PixelSpan(2, 3, 7, 11)
    assert span.size == (5, 8)
    assert span.rect == Rect(2, 3, 7, 11)
    assert span.slices == (slice(3, 11), slice(2, 7))


def test_a_stretched_region_is_the_box_with_its_margins():
    assert face_region(face_at(50, 60, 20, 40), (0.1, 0.0, 0.1, 0.25), "stretch") == Rect(38, 40, 62, 90)
