import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import GlossaryRefused
from orchestrator.glossary import MAX_CHARACTERS, MAX_TERMS, parse_glossary, terms_in, translate_with

WORDS = st.lists(st.sampled_from(["moon", "shot", "dog", "the", "flies", "dogs", "moonlight"]), min_size=1, max_size=8)


def engine(**translations):
    """Translates word by word; what it does not know it carries through, as engines do with names."""
    asked = []

    def translate(text):
        asked.append(text)
        stop = text.endswith(".")
        words = [translations.get(word.lower(), word) for word in text.rstrip(".").split()]
        return " ".join(words) + ("." if stop else "")

    translate.asked = asked
    return translate


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_an_empty_glossary_is_none(text):
    assert parse_glossary(text) == {}


def test_spaces_around_and_within_terms_do_not_count():
    assert parse_glossary('{" moon  shot ": " gran salto "}') == {"moon shot": "gran salto"}


TOO_MANY = json.dumps({f"term {number}": "x" for number in range(MAX_TERMS + 1)})


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", "1", '"a"', '{"a": 1}', '{"a": null}', '{"a": {"b": "c"}}', '{"a": ""}', '{"": "a"}', '{"...": "a"}',
     '{"a": "b", "A": "c"}', '{"a": "b", "a": "c"}', '{"a": "b\\u0000"}', json.dumps({"a": "x" * (MAX_CHARACTERS + 1)}),
     TOO_MANY, "[" * 100_000],
)  # fmt: skip
def test_what_is_no_glossary_is_refused(text):
    with pytest.raises(GlossaryRefused, match="glossary"):
        parse_glossary(text)


def test_whole_words_are_found_whatever_their_case_the_longest_first():
    glossary = {"moon": "Luna", "Moon Shot": "gran salto", "dog": "can", "C++": "ce más más"}
    assert terms_in("The MOON  shot of dogs by moonlight in c++.", glossary) == {
        "Moon Shot": "gran salto",
        "C++": "ce más más",
    }
    assert terms_in("moon dog", glossary) == {"moon": "Luna", "dog": "can"}


def test_a_translation_that_says_what_is_wanted_is_taken_as_it_is():
    translate = engine(the="la", moon="luna")
    kept = translate_with("the moon", {"moon": "luna"}, translate)
    assert (kept.text, kept.missed) == ("la luna", ())
    assert translate.asked == ["the moon"]


def test_a_text_without_terms_is_translated_once():
    translate = engine(cat="gato")
    assert translate_with("cat", {"moon": "luna"}, translate).text == "gato"
    assert len(translate.asked) == 1


def test_a_term_travels_as_a_name_and_comes_back_as_what_is_wanted():
    kept = translate_with("the dog sees the dog", {"dog": "can"}, engine(the="el", dog="perro", sees="ve"))
    assert (kept.text, kept.missed) == ("el can ve el can", ())


def test_a_sentence_that_begins_with_a_term_begins_with_a_capital():
    assert translate_with("Dogs run.", {"dogs": "canes"}, engine(dogs="perros", run="corren")).text == "Canes corren."
    assert translate_with("dogs run", {"dogs": "canes"}, engine(dogs="perros", run="corren")).text == "canes corren"


def test_an_engine_that_loses_names_is_asked_for_the_term_alone():
    kept = translate_with("the dog", {"dog": "can"}, engine(the="el", dog="perro", qzxa=""))
    assert (kept.text, kept.missed) == ("el can", ())


def test_what_cannot_be_kept_is_told():
    translations = {"the dog": "ladra", "the Qzxa": "nada", "dog": "perro"}
    kept = translate_with("the dog", {"dog": "can"}, translations.__getitem__)
    assert (kept.text, kept.missed) == ("ladra", ("dog",))


def test_two_terms_of_one_translation_must_be_said_twice():
    kept = translate_with("dog hound", {"dog": "can", "hound": "can"}, engine(dog="can", hound="perro"))
    assert (kept.text, kept.missed) == ("can can", ())


def test_signs_in_a_translation_are_taken_literally():
    kept = translate_with("the dog", {"dog": r"\1 \g<0> (can)"}, engine(the="el", dog="perro"))
    assert kept.text == r"el \1 \g<0> (can)"


@given(WORDS)
def test_no_term_is_lost_by_an_engine_that_carries_names_through(words):
    glossary = {"moon": "Luna", "moon shot": "gran salto", "dog": "can"}
    text = " ".join(words)
    kept = translate_with(text, glossary, engine(the="el", flies="vuela", dog="perro", moon="satélite"))
    assert kept.missed == ()
    for term, wanted in terms_in(text, glossary).items():
        assert wanted.casefold() in kept.text.casefold(), term
    assert "qzx" not in kept.text.casefold()
