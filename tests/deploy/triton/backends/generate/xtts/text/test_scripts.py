import pytest
from generate.xtts.text.scripts import foreign_script, has_words


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("Привет, как дела?", "es", "Cyrillic"),
        ("你好世界", "en", "Cjk"),
        ("こんにちは", "zh", "Hiragana"),
        ("مرحبا", "hi", "Arabic"),
        ("안녕하세요", "ja", "Hangul"),
        ("Γειά σου", "fr", "Greek"),
        ("שלום", "ar", "Hebrew"),
    ],
)
def test_a_text_in_other_letters_is_told_by_its_script(text, language, script):
    assert foreign_script(text, language) == script


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("微软Microsoft在London买了公司", "zh"),
        ("Компания Microsoft", "ru"),
        ("Microsoft Windows", "ja"),
        ("Der Vorname Борис kommt aus dem Osten", "de"),
        ("日本語のテキスト々ー", "ja"),
        ("漢字와 한글", "ko"),
        ("1ª e 2º", "pt"),
        ("12:30", "hi"),
    ],
)
def test_own_letters_latin_names_and_single_foreign_words_are_welcome(text, language):
    assert foreign_script(text, language) == ""


@pytest.mark.parametrize(("text", "answer"), [("a", True), ("7", True), ("你", True), ("?!…", False), ("", False)])
def test_a_letter_or_a_figure_makes_words(text, answer):
    assert has_words(text) is answer
