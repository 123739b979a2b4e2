import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import BadRequest
from orchestrator.face_choice import FaceChoice
from tests.visual_factory import make_clip_info

CLIP = make_clip_info(640, 360, duration_s=10.0)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("", None),
        ("  ", None),
        ("2", FaceChoice(track=2)),
        ("10,20,110.5,140", FaceChoice(box=(10, 20, 110.5, 140))),
        (" 10, 20, 110, 140 @ 12.5 ", FaceChoice(box=(10, 20, 110, 140), at_s=12.5)),
    ],
)
def test_the_field_is_read(text, choice):
    assert FaceChoice.parse(text) == choice


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "02",
        "two",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,x",
        "1,2,3,4@",
        "1,2,3,4@-1",
        "2@3",
        "nan,1,2,3",
        "1e3,1,2,3",
    ],
)
def test_what_cannot_be_read_is_refused_with_the_forms_there_are(text):
    with pytest.raises(BadRequest, match=r"face: .*x1,y1,x2,y2"):
        FaceChoice.parse(text)


@pytest.mark.parametrize("text", ["10,20,10,40", "30,20,10,40", "10,20,30,20"])
def test_a_box_without_area_is_refused(text):
    with pytest.raises(BadRequest, match="x1 < x2"):
        FaceChoice.parse(text)


def test_a_box_outside_the_picture_is_refused_and_one_over_its_border_is_not():
    FaceChoice.parse("560,300,700,400").check(CLIP)
    with pytest.raises(BadRequest, match="640 x 360"):
        FaceChoice.parse("620,300,700,400").check(CLIP)
    with pytest.raises(BadRequest, match="640 x 360"):
        FaceChoice.parse("10,361,20,400").check(CLIP)


def test_the_picture_is_the_upright_one():
    turned = make_clip_info(640, 360, rotation_deg=90)
    FaceChoice.parse("10,400,110,500").check(turned)
    with pytest.raises(BadRequest, match="360 x 640"):
        FaceChoice.parse("400,10,500,110").check(turned)


def test_a_time_behind_the_end_is_refused():
    FaceChoice.parse("10,20,30,40@10").check(CLIP)
    with pytest.raises(BadRequest, match="behind the end"):
        FaceChoice.parse("10,20,30,40@10.01").check(CLIP)
    FaceChoice.parse("3").check(CLIP)


edges = st.decimals(0, 9999, places=2)


@given(st.one_of(st.integers(1, 999_999).map(str), st.tuples(edges, edges, st.none() | edges)))
def test_a_choice_written_down_is_read_again_the_same(value):
    if isinstance(value, str):
        choice = FaceChoice.parse(value)
    else:
        x, y, at = value
        written = f"{x},{y},{float(x) + 10:.2f},{float(y) + 12:.2f}" + ("" if at is None else f"@{at}")
        choice = FaceChoice.parse(written)
    assert FaceChoice.parse(str(choice)) == choice
