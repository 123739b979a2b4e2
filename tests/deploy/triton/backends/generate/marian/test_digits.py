import pytest
from generate.marian.digits import keep_numbers, numbers_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,234.5 and 1.234,5", ["12345", "12345"]),
        ("1\u00a0234 1 234", ["1234", "1", "234"]),
        ("10:30", ["10", "30"]),
        ("٣٤ and 34", ["34", "34"]),
        ("2024, 100 people", ["2024", "100"]),
        ("007", ["007"]),
        ("none", []),
    ],
)
def test_numbers_are_counted_by_their_digits(text, numbers):
    assert sorted(numbers_of(text).elements()) == sorted(numbers)


@pytest.mark.parametrize(
    ("source", "translation", "expected", "lost"),
    [
        ("25 dollars", "25 dólares", "25 dólares", ()),
        ("1,234.5 m", "1.234,5 m", "1.234,5 m", ()),
        ("17 dogs", "71 perros", "17 perros", ()),
        ("It costs 1,500 now", "Ahora cuesta 1500,", "Ahora cuesta 1500,", ()),
        ("3 men", "tres hombres", "tres hombres", ("3",)),
        ("fifteen", "15", "15", ()),
        ("at 3 pm", "a las 15", "a las 15", ()),
        ("the 1990s", "los años 90", "los años 90", ()),
        ("12 and 14", "13 y 15", "13 y 15", ("12", "14")),
        ("12 of 25,000", "12", "12", ("25,000",)),
    ],
)
def test_a_changed_number_is_put_right_and_a_lost_one_told(source, translation, expected, lost):
    assert keep_numbers(source, translation) == (expected, lost)


@given(text=st.text(max_size=40))
def test_a_translation_with_the_same_numbers_stays_as_it_is(text):
    assert keep_numbers(text, text) == (text, ())


@given(
    source=st.text(st.sampled_from("1234., ab"), max_size=20), said=st.text(st.sampled_from("1234., ab"), max_size=20)
)
def test_after_keeping_only_the_lost_numbers_are_missing(source, said):
    text, lost = keep_numbers(source, said)
    missing = numbers_of(source) - numbers_of(text)
    assert set(lost) == set() or sorted("".join(filter(str.isdigit, each)) for each in lost) == sorted(
        missing.elements()
    )
