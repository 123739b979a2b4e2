import pytest
from generate.marian.casing import as_in_source, is_shouted, quietened


@pytest.mark.parametrize("text", ["I AM HERE.", "¡HOLA A TODOS!", "ДОБРЫЙ ДЕНЬ", "25 YEARS AGO"])
def test_two_words_in_capitals_are_a_shout(text):
    assert is_shouted(text)


@pytest.mark.parametrize("text", ["NASA", "I", "Hello There", "A B", "the BBC NEWS", "12", "", "日本語 です"])
def test_names_and_scripts_without_capitals_are_none(text):
    assert not is_shouted(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("I AM HERE.", "I am here."), ("¡HOLA A TODOS!", "¡Hola a todos!"), ("AND I'M LATE", "And I'm late")],
)
def test_a_shout_is_made_an_ordinary_sentence(text, expected):
    assert quietened(text) == expected


@pytest.mark.parametrize(
    ("source", "translation", "language", "expected"),
    [
        ("I AM HERE.", "Estoy aquí.", "es", "ESTOY AQUÍ."),
        ("Good morning", "buenos días", "es", "Buenos días"),
        ("good morning", "Buenos días", "es", "buenos días"),
        ("«Good morning»", "«buenos días»", "es", "«Buenos días»"),
        ("estoy aquí", "I am here", "en", "I am here"),
        ("estoy aquí", "I'm here", "en", "I'm here"),
        ("the dog", "Hunde", "de", "Hunde"),
        ("la nasa", "NASA", "en", "NASA"),
        ("25 dogs", "25 Perros", "es", "25 perros"),
        ("今日は", "Today", "en", "Today"),
        ("good morning", "", "es", ""),
        ("good morning", "おはよう", "ja", "おはよう"),
    ],
)
def test_capitals_follow_the_source(source, translation, language, expected):
    assert as_in_source(source, translation, language) == expected
