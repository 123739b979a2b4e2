import pytest
from generate.xtts.text.chinese_numbers import cardinal, one_by_one


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("0", "零"),
        ("2", "二"),
        ("10", "十"),
        ("12", "十二"),
        ("20", "二十"),
        ("101", "一百零一"),
        ("110", "一百一十"),
        ("222", "两百二十二"),
        ("1010", "一千零一十"),
        ("12000", "一万两千"),
        ("100100", "十万零一百"),
        ("220000", "二十二万"),
        ("2000000000000", "两兆"),
        ("007", "零七"),
        ("00", "零零"),
        ("0.50", "零点五零"),
        ("2010.5", "两千零一十点五"),
    ],
)
def test_numbers_are_said_with_their_units(number, said):
    assert cardinal(number) == said


def test_numbers_beyond_the_greatest_unit_are_said():
    assert cardinal("1" + "0" * 60).endswith("载")


def test_figures_are_said_one_by_one_without_what_stands_between():
    assert one_by_one("+86 010-2") == "八六零一零二"
