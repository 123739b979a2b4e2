"""mt_apertium in the embedded Triton, through the project's client."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from client.contracts import LanguagePair
from client.errors import EngineRefused
from client.mt import TritonMt
from client.tensors import text_array, unary_inputs

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def mt(connection):
    return TritonMt(connection, "mt_apertium", timeout_s=60.0)


def test_the_engine_states_its_pairs(mt):
    assert list(mt.language_pairs()) == [LanguagePair("en", "es"), LanguagePair("es", "en")]


@pytest.mark.parametrize(
    ("text", "source", "target", "expected"),
    [
        ("I have twenty-five dollars and two children.", "en", "es", "Tengo veinticinco dólares y dos niños."),
        ("Ella trabajó muchos años.", "es", "en", "She worked a lot of years."),
        ("Zqxwv [[x]] ^y$ <z> \\ \0 @", "en", "es", "Zqxwv [[x]] ^y$ <z> \\ @"),
        ("", "en", "es", ""),
    ],
)
def test_a_text_is_translated(mt, text, source, target, expected):
    assert mt.translate(text, source, target) == expected


@pytest.mark.parametrize(
    ("text", "target", "reason"),
    [("Hello", "fr", "'en-fr' is not served; there are: en-es es-en"), ("x" * 5001, "es", "at most 5000")],
)
def test_what_cannot_be_served_is_refused_with_the_reason(mt, text, target, reason):
    with pytest.raises(EngineRefused, match=reason):
        mt.translate(text, "en", target)


def test_bytes_that_are_not_utf8_are_refused(mt, connection):
    texts = {name: text_array(text, batched=False) for name, text in language_inputs().items()}
    texts["TEXT"][0] = b"caf\xe9"
    with pytest.raises(EngineRefused, match="TEXT is not UTF-8"):
        connection.infer("mt_apertium", unary_inputs(texts), timeout_s=30.0)


def language_inputs() -> dict[str, str]:
    return {"TEXT": "", "SOURCE_LANGUAGE": "en", "TARGET_LANGUAGE": "es"}


def test_answers_do_not_get_mixed_up_between_callers(mt):
    texts = {f"She has {count} dogs.": f"Tiene {count} perros." for count in range(2, 42)}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda text: mt.translate(text, "en", "es"), texts))
    assert answers == list(texts.values())
