"""BLEU, chrF++ and word errors."""

import pytest
import sacrebleu

from orchestrator.evaluation.scores import METRICS, scored, word_error_rate, words_only

TRANSLATIONS = ["hoy es un día muy importante", "mañana volaremos a la luna y más allá"]
REFERENCES = ["hoy es un día importante de verdad", "mañana volaremos a la luna y volveremos"]


def test_the_scores_are_sacrebleus():
    bleu = sacrebleu.corpus_bleu(TRANSLATIONS, [REFERENCES]).score
    chrf = sacrebleu.corpus_chrf(TRANSLATIONS, [REFERENCES], word_order=2).score
    assert scored("bleu", TRANSLATIONS, REFERENCES).score == pytest.approx(bleu)
    assert scored("chrf", TRANSLATIONS, REFERENCES).score == pytest.approx(chrf)
    assert 0 < bleu < 100 and 0 < chrf < 100


@pytest.mark.parametrize("metric", METRICS)
def test_the_score_of_a_part_follows_from_its_own_statistics(metric):
    both, first = scored(metric, TRANSLATIONS, REFERENCES), scored(metric, TRANSLATIONS[:1], REFERENCES[:1])
    assert both.score_of(both.statistics[0]) == pytest.approx(first.score)


def test_the_signatures_tell_how_to_repeat_the_score():
    assert "tok:13a" in scored("bleu", TRANSLATIONS, REFERENCES).signature
    assert "nw:2" in scored("chrf", TRANSLATIONS, REFERENCES).signature
    assert f"version:{sacrebleu.__version__}" in scored("bleu", TRANSLATIONS, REFERENCES).signature


@pytest.mark.parametrize(
    ("text", "words"),
    [("¿Qué, no?", "qué no"), ("«Año» nuevo…", "año nuevo"), ("I don't - well-kept.", "i don't - well-kept")],
)
def test_the_words_alone_have_no_case_and_no_punctuation(text, words):
    assert words_only(text) == words


@pytest.mark.parametrize(
    ("heard", "said", "rate"),
    [
        (["It rains"], ["it rains."], 0.0),
        (["it trains now"], ["it rains"], 1.0),
        (["", "a b"], ["a b", "a b"], 0.5),
        (["the cat"], ["the black cat sat"], 0.5),
    ],
)
def test_word_errors_are_substitutions_insertions_and_deletions(heard, said, rate):
    assert word_error_rate(heard, said) == rate
