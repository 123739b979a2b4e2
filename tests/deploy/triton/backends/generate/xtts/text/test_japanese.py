import pytest
from generate.xtts.text.japanese import Romaji


@pytest.fixture(scope="module")
def romaji():
    return Romaji()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("カツカレーを食べた。", "Cutlet curry wo tabeta."),
        ("¥500と20€", "500 en to 20 Euro"),
        ("", ""),
    ],
)
def test_japanese_is_written_in_latin_letters(romaji, text, written):
    assert romaji.write(text) == written


@pytest.mark.parametrize(
    "text", ["ゞ", "ヷヸヹ", "っ", "ーーー", "[", "(", "ゝゝ", "ゔぁ", "ㇰ", "ﾊﾟ", "々", "😀", "ゎゕ"]
)
def test_rare_marks_do_not_fail(romaji, text):
    romaji.write(f"これ{text}は")
    romaji.write(text)
