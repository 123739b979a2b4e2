import pytest

from client.language_codes import three_letters, two_letters


@pytest.mark.parametrize(("code", "three"), [("es", "spa"), ("de", "deu"), ("fil", "fil"), ("xx", "und")])
def test_mp4_knows_languages_by_three_letters(code, three):
    assert three_letters(code) == three


@pytest.mark.parametrize(("code", "two"), [("spa", "es"), ("es", "es"), ("cmn", "zh"), ("roa", None), ("xx", None)])
def test_the_contracts_know_languages_by_two_letters(code, two):
    assert two_letters(code) == two
