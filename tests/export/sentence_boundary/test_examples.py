from collections import Counter

import pytest

from export.sentence_boundary.corpus import Passage
from export.sentence_boundary.examples import CLAUSES, balanced, clauses

SENTENCES = (
    "When it was late, we walked along the river and sat down because of the view.",
    "Mr. Brown said that nobody had seen the boat since Monday.",
    "Was there anybody at home when you came back from town?",
    "Nobody answered.",
)
FRASES = (
    "Cuando era tarde, caminamos junto al río y nos sentamos porque nos gustaba.",
    "El Sr. Pérez dijo que nadie había visto el barco desde el lunes.",
    "¿Había alguien en casa cuando volviste del pueblo?",
    "Nadie contestó.",
)
PASSAGES = [Passage("g en", "d", "en", SENTENCES), Passage("g es", "e", "es", FRASES)]


@pytest.fixture(scope="module")
def examples():
    return balanced(PASSAGES, each=200, seed=5)


def ends(text: str) -> str:
    return text.rstrip(".?!…").lower().replace(",", "").replace(".", "").split()[-1].strip("?!¿")


LAST_WORDS = {ends(text) for text in SENTENCES + FRASES}


def test_every_language_and_style_has_as_many_complete_as_incomplete_texts(examples):
    seen = Counter((each.language, each.style, each.complete) for each in examples)
    assert len(seen) == 8
    assert set(seen.values()) == {200}


def test_a_complete_text_ends_with_the_last_word_of_a_sentence(examples):
    assert {ends(each.text) for each in examples if each.complete} <= LAST_WORDS


def test_an_incomplete_text_never_does(examples):
    assert not {ends(each.text) for each in examples if not each.complete} & LAST_WORDS


def test_speech_has_no_marks_and_punctuated_texts_have_faults_of_both_kinds(examples):
    assert not [each for each in examples if each.style == "speech" and any(mark in each.text for mark in ".,?!¿A")]
    written = [each for each in examples if each.style == "punctuated"]
    assert [each for each in written if each.complete and each.text[-1].isalpha()]
    assert [each for each in written if not each.complete and each.text.endswith((".", "..."))]


def test_texts_are_cut_at_every_kind_of_place(examples):
    kinds = Counter(each.kind for each in examples if not each.complete)
    assert {"prefix", "joint", "comma", "abbreviation"} <= set(kinds)


def test_no_text_is_called_incomplete_where_a_clause_ends_but_those_that_are_told_apart(examples):
    wholes = " ".join(SENTENCES + FRASES).lower()
    cut = [each for each in examples if each.style == "punctuated" and each.kind in ("prefix", "joint", "comma")]
    for each in cut:
        last = " ".join(each.text.lower().rstrip(".,…").split()[-3:])
        following = wholes.split(last, 1)[1].lstrip(",. ").split()[0] if last in wholes else ""
        assert following not in CLAUSES[each.language]
    apart = clauses(PASSAGES, each=20, seed=2)
    assert {each.kind for each in apart} == {"clause"}
    assert not any(each.complete for each in apart)
    assert {ends(each.text) for each in apart} == {"boat", "river", "down", "río", "sentamos"}


def test_the_same_seed_makes_the_same_texts():
    assert balanced(PASSAGES, 20, 1) == balanced(PASSAGES, 20, 1)
    assert balanced(PASSAGES, 20, 1) != balanced(PASSAGES, 20, 2)
