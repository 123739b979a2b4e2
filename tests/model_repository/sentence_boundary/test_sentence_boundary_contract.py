"""sentence_boundary in the embedded Triton, through the project's client."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client.boundary import TritonBoundary
from client.errors import EngineRefused
from client.tensors import text_array, unary_inputs

pytestmark = pytest.mark.triton

WHOLE = [
    ("We met at the station this morning.", "en"),
    ("How are you doing today?", "en"),
    ("Hoy vamos a hablar de la historia de España.", "es"),
    ("¿Dónde está la estación?", "es"),
]
CUT = [
    ("We met at the", "en"),
    ("Yesterday I saw Mr.", "en"),
    ("i would like to talk about the", "en"),
    ("when we came to the", "en"),
    ("Hoy vamos a hablar de la", "es"),
    ("cuando llegamos a la", "es"),
    ("quiero que", "es"),
]
SPOKEN = [
    ("they have never seen anything like it", "they have never seen anything like", "en"),
    ("do you know where they live", "do you know where the", "en"),
    ("nunca he visto nada igual en mi vida", "nunca he visto nada igual en mi", "es"),
    ("quiero que me lo digas", "quiero que me", "es"),
]


@pytest.fixture(scope="module")
def boundary(connection):
    return TritonBoundary(connection, "sentence_boundary", timeout_s=60.0)


def test_the_engine_states_its_languages(boundary):
    assert boundary.languages() == ("en", "es")


@pytest.mark.parametrize(("text", "language"), WHOLE)
def test_a_whole_sentence_is_more_likely_whole_than_not(boundary, text, language):
    assert boundary.complete(text, language) > 0.5


@pytest.mark.parametrize(("text", "language"), CUT)
def test_a_text_cut_short_does_not_pass_the_gate(boundary, text, language):
    assert boundary.complete(text, language) < 0.5


@pytest.mark.parametrize(("whole", "part", "language"), SPOKEN)
def test_without_marks_the_words_tell_the_whole_from_the_part(boundary, whole, part, language):
    assert boundary.complete(whole, language) > boundary.complete(part, language) + 0.3


@pytest.mark.parametrize("text", ["", "   \n", "...", "?!", "👋🎉", "“—”"])
def test_a_text_without_words_is_never_complete(boundary, text):
    assert boundary.complete(text, "en") == 0.0


@pytest.mark.parametrize(
    "text", ["🎉 Good morning everyone! 👋", "今日はいい天気ですね。", "\0\x01 a \u200b b", "7 12 3.5"]
)
def test_unusual_texts_get_an_answer(boundary, text):
    assert 0.0 <= boundary.complete(text, "es") <= 1.0


def test_of_a_long_text_only_the_end_counts(boundary):
    end = "so " * 47 + "we stayed at home."
    assert boundary.complete("x " * 5_000 + end, "en") == boundary.complete(end, "en")


def test_bytes_that_are_not_utf8_are_refused_and_their_neighbours_answered(boundary, connection):
    def ask(number: int) -> float | EngineRefused:
        if number % 4:
            return boundary.complete("Good morning everyone.", "en")
        raw = text_array("", batched=True)
        raw[0, 0] = b"caf\xe9"
        with pytest.raises(EngineRefused, match="TEXT is not UTF-8") as refused:
            connection.infer("sentence_boundary", unary_inputs({"TEXT": raw}), timeout_s=30.0)
        return refused.value

    expected = boundary.complete("Good morning everyone.", "en")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))
    scores = [answer for answer in answers if isinstance(answer, float)]
    assert len(scores) == 30
    assert scores == pytest.approx([expected] * 30, abs=1e-5)


def test_answers_do_not_get_mixed_up_between_callers(boundary):
    texts = [text for text, _ in WHOLE + CUT] * 4
    alone = {text: boundary.complete(text, "en") for text in set(texts)}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: boundary.complete(text, "en"), texts))
    assert together == pytest.approx([alone[text] for text in texts], abs=1e-5)  # a batch sums in another order


def test_a_batch_of_texts_is_one_request(boundary, connection):
    texts = [text for text, _ in WHOLE + CUT]
    batch = np.array([[text.encode()] for text in texts], np.object_)
    result = connection.infer("sentence_boundary", unary_inputs({"TEXT": batch}), timeout_s=30.0)
    scores = result.as_numpy("COMPLETE")
    assert scores.shape == (len(texts), 1)
    assert scores[:, 0].tolist() == pytest.approx([boundary.complete(text, "en") for text in texts], abs=1e-5)
