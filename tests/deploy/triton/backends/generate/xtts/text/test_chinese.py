import pytest
from generate.xtts.text.chinese import expand_numbers, in_pinyin
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2023年5月4日", "二零二三年五月四日"),
        ("12月", "十二月"),
        ("3.5亿元", "三点五亿元"),
        ("打+86 13812345678吧", "打八六一三八一二三四五六七八吧"),
        ("010-62345678", "零一零六二三四五六七八"),
        ("1/2", "二分之一"),
        ("12.5％", "百分之十二点五"),
        ("15和5个", "十五和五个"),
        ("20240", "二零二四零"),
        ("b2b", "b2b"),
        ("$1,234.5", "一千两百三十四点五美元"),
        ("20€", "二十欧元"),
        ("你好。再见！", "你好,再见,"),
        ("12:00", "十二,零零"),
    ],
)
def test_numbers_are_said_by_what_they_mean(text, said):
    assert expand_numbers(text) == said


def test_pinyin_has_tones_and_leaves_other_letters():
    assert in_pinyin("你好吗 ok") == "ni3hao3ma5 ok"


@given(st.text(st.sampled_from("0123456789.,/%％年月日元个块$€-+: 多")))
def test_no_figure_is_left_and_nothing_fails(text):
    assert not any(char.isdigit() for char in expand_numbers(text))
