from concurrent.futures import ThreadPoolExecutor

import pytest

from client.contracts import LanguagePair, MtEngine
from client.errors import ContractViolation
from client.triton import TritonMt

pytestmark = pytest.mark.triton


@pytest.fixture
def mt(connection) -> MtEngine:
    """Of a model with a batch axis, which the contract leaves to the engine."""
    return TritonMt(connection, "mt_batched", timeout_s=20)


def test_a_translation_comes_back_without_blanks_around_it(mt):
    assert mt.translate("¿qué tal, año?", "es", "en") == "es>en: ¿QUÉ TAL, AÑO?"


def test_requests_that_triton_merges_keep_their_own_texts(mt):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: mt.translate(f"text {number}", "en", "es"), range(40)))

    assert answers == [f"en>es: TEXT {number}" for number in range(40)]


def test_a_text_that_becomes_nothing_breaks_the_contract(mt):
    with pytest.raises(ContractViolation, match="to nothing"):
        mt.translate("nothing", "en", "es")


def test_language_pairs_come_from_the_config(mt):
    assert mt.language_pairs() == (LanguagePair("en", "es"), LanguagePair("es", "en"))


def test_an_engine_that_states_no_pairs_breaks_the_contract(connection):
    with pytest.raises(ContractViolation, match="parameter language_pairs is missing"):
        TritonMt(connection, "stt_busy", timeout_s=20).language_pairs()
