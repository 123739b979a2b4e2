"""The committed set, and what the reader refuses."""

import re

import pytest

from orchestrator.evaluation.paragraphs import read_paragraphs

HEAD = "paragraph\tenglish\tspanish\n"


def test_the_set_holds_at_least_sixty_paragraphs_of_two_to_four_sentences():
    paragraphs = read_paragraphs()
    assert len(paragraphs) >= 60
    assert [paragraph.number for paragraph in paragraphs] == list(range(1, len(paragraphs) + 1))
    assert all(2 <= len(paragraph.sentences) <= 4 for paragraph in paragraphs)


def test_every_sentence_of_the_set_is_there_once_in_each_language_and_the_two_differ():
    sentences = [sentence for paragraph in read_paragraphs() for sentence in paragraph.sentences]
    english, spanish = [one.english for one in sentences], [one.spanish for one in sentences]
    assert len(set(english)) == len(set(spanish)) == len(sentences)
    assert not set(english) & set(spanish)


def test_every_sentence_of_the_set_is_one_sentence_with_its_numbers_in_words():
    for paragraph in read_paragraphs():
        for sentence in paragraph.sentences:
            for text in (sentence.english, sentence.spanish):
                assert re.fullmatch(r"[¿¡]?[A-ZÁÉÍÓÚÑ][^.!?\d|]*[.!?]", text), text


def test_most_sentences_of_the_set_have_a_place_to_pause_inside():
    sentences = [sentence for paragraph in read_paragraphs() for sentence in paragraph.sentences]
    assert sum(len(sentence.clauses) > 1 for sentence in sentences) > len(sentences) / 2


def test_clauses_and_sentences_are_joined_with_blanks(tmp_path):
    path = tmp_path / "set.tsv"
    path.write_text(HEAD + "1\tIf it rains, | we stay.\tSi llueve, nos quedamos.\n1\tGood.\tBien.\n")
    (paragraph,) = read_paragraphs(path)
    assert paragraph.sentences[0].clauses == ("If it rains,", "we stay.")
    assert paragraph.english == "If it rains, we stay. Good."
    assert paragraph.spanish == "Si llueve, nos quedamos. Bien."


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", 1),
        ("english\tspanish\n", 1),
        (HEAD + "1\tGood.\n", 2),
        (HEAD + "one\tGood.\tBien.\n", 2),
        (HEAD + "1\tGood.\tBien.\n1\tIf it rains, | \tSi llueve.\n", 3),
        (HEAD + "1\tGood.\t \n", 2),
        (HEAD + "1\tA.\tB.\n2\tC.\tD.\n1\tE.\tF.\n", 4),
    ],
)
def test_a_table_that_is_not_so_is_refused_with_its_line(tmp_path, content, line):
    path = tmp_path / "set.tsv"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"set.tsv, line {line}:"):
        read_paragraphs(path)
