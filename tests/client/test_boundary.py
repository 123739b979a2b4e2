from concurrent.futures import ThreadPoolExecutor

import pytest

from client.contracts import BoundaryEngine
from client.errors import ContractViolation, EngineRefused
from client.triton import TritonBoundary

pytestmark = pytest.mark.triton


@pytest.fixture
def boundary(connection) -> BoundaryEngine:
    return TritonBoundary(connection, "boundary_plain", timeout_s=20)


def test_a_score_comes_back_as_the_engine_gave_it(boundary):
    assert boundary.complete("0.25", "en") == 0.25


def test_texts_that_triton_merges_keep_their_own_scores(boundary):
    scores = [number / 64 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda score: boundary.complete(str(score), "es"), scores)) == scores


@pytest.mark.parametrize("score", ["1.5", "-0.1", "nan"])
def test_a_score_that_is_no_probability_breaks_the_contract(boundary, score):
    with pytest.raises(ContractViolation, match="COMPLETE"):
        boundary.complete(score, "en")


def test_a_language_that_the_engine_was_not_trained_for_is_refused(boundary):
    with pytest.raises(EngineRefused, match="'fr' is not served; there are: en es"):
        boundary.complete("0.5", "fr")


def test_the_languages_come_from_the_config(boundary):
    assert boundary.languages() == ("en", "es")
