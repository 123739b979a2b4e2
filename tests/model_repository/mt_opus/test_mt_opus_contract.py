"""mt_opus and models of pairs in a private embedded Triton, with random weights of reduced size, through our client."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.aio import AsyncTriton
from client.connection import TritonConnection
from client.contracts import LanguagePair
from client.errors import ContractViolation, EngineRefused
from client.mt import TritonMt
from client.repository import ModelRepository
from client.tensors import Answer, text_array, unary_inputs
from deploy.errors import TritonStartFailed
from deploy.triton.embedded import EmbeddedTriton
from tests.killed_servers import serving
from tests.published_tokenizer import marian_tokenizer
from tests.served_marian import ENGINE, add_pairs, router_repository

pytestmark = pytest.mark.triton

SENTENCES = (
    "When I was a little boy, my mother took me to the beach every summer.",
    "The doctor told me that I should drink more water.",
    "He has two dogs.",
    "Yes",
    "It is not easy at the beginning, but it gets better with time.",
)
LIMIT = 24


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return router_repository(tmp_path_factory.mktemp("opus"))


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    """What the models of both pairs were made of."""
    return add_pairs(repository, ["en-es", "de-en"])


@pytest.fixture(scope="module")
def server(repository: Path, folder: Path) -> Iterator[EmbeddedTriton]:
    with serving([ENGINE], repository=repository, run_dir=repository.parent / "run") as started:
        yield started


@pytest.fixture(scope="module")
def connection(server: EmbeddedTriton) -> Iterator[TritonConnection]:
    with TritonConnection(server.grpc_url, control_timeout_s=30.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def mt(connection: TritonConnection) -> TritonMt:
    return TritonMt(connection, ENGINE, timeout_s=60.0)


def ask(connection: TritonConnection, text: str, model: str = "opus_mt_en_es", **inputs: Any) -> str:
    arrays = {"TEXT": text_array(text, batched=False)}
    for name, value in inputs.items():
        arrays[name] = np.array([value], np.int32) if isinstance(value, int) else text_array(value, batched=False)
    result = connection.infer(model, unary_inputs(arrays), timeout_s=60.0)
    return Answer(model, result, batched=False).text("TEXT")


class Original:
    """What transformers says to the same texts, with the same published folder."""

    def __init__(self, folder: Path) -> None:
        from transformers import MarianMTModel

        self._tokenizer = marian_tokenizer(folder)
        self._model = MarianMTModel.from_pretrained(folder).eval()

    def translate(self, text: str, beams: int) -> str:
        inputs = self._tokenizer(text, return_tensors="pt")
        tokens = self._model.generate(**inputs, num_beams=beams, max_new_tokens=LIMIT, max_length=None)
        said = self._tokenizer.decode(tokens[0], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return said[:1].upper() + said[1:] if text[0].isupper() else said


@pytest.fixture(scope="module")
def original(folder: Path) -> Original:
    return Original(folder)


@pytest.mark.parametrize("beams", [1, 4])
def test_texts_are_those_of_the_reference_library_decoded_together_or_alone(connection, original, beams):
    expected = [original.translate(text, beams) for text in SENTENCES]
    alone = [ask(connection, text, BEAMS=beams, MAX_NEW_TOKENS=LIMIT) for text in SENTENCES]
    assert alone == expected
    with ThreadPoolExecutor(len(SENTENCES)) as pool:
        together = list(pool.map(lambda text: ask(connection, text, BEAMS=beams, MAX_NEW_TOKENS=LIMIT), SENTENCES))
    assert together == expected
    assert len(set(expected)) == len(expected)


def test_the_engine_gives_what_the_pairs_model_gives(connection, mt):
    text = " ".join(SENTENCES)
    assert mt.translate(text, "en", "es") == ask(connection, text).strip()


def test_a_pair_without_a_model_goes_by_way_of_english(connection, mt):
    through = ask(connection, ask(connection, "He has two dogs.", "opus_mt_de_en"))
    assert mt.translate("He has two dogs.", "de", "es") == through.strip()


def test_the_same_language_comes_back_as_it_is(mt):
    assert mt.translate("¿Qué tal?", "es", "es") == "¿Qué tal?"


@pytest.mark.parametrize("text", ["", "...", "😀 👍", "12:30"])
def test_a_text_without_words_comes_back_as_it_is(mt, text):
    assert mt.translate(text, "en", "es") == text


def test_the_engine_offers_its_models_pairs_and_what_they_make_together(server, connection, mt):
    expected = {LanguagePair("en", "es"), LanguagePair("de", "en"), LanguagePair("de", "es")}
    assert set(mt.language_pairs()) == expected

    async def seen_by_the_gateway() -> dict[str, str]:
        triton = AsyncTriton(server.grpc_url, 30.0)
        try:
            return await triton.config_parameters(ENGINE)
        finally:
            await triton.close()

    stated = asyncio.run(seen_by_the_gateway())["language_pairs"].split()
    assert {LanguagePair(*pair.split("-")) for pair in stated} == expected


def test_a_missing_pair_is_refused_with_those_there_are(mt):
    with pytest.raises(EngineRefused, match="language pair 'en-de' is not served; there are: de-en de-es en-es"):
        mt.translate("Yes", "en", "de")


def test_a_refusal_of_the_pairs_model_is_the_engines_own(mt):
    with pytest.raises(EngineRefused, match="TEXT has 20001 characters, at most 20000 are taken"):
        mt.translate("a" * 20_001, "en", "es")


def test_a_refused_text_leaves_those_beside_it_alone(connection):
    expected = ask(connection, SENTENCES[0], MAX_NEW_TOKENS=LIMIT)

    def attempt(number: int) -> str:
        try:
            return ask(connection, SENTENCES[0], MAX_NEW_TOKENS=LIMIT, TARGET_LANGUAGE="xx" if number % 2 else "es")
        except EngineRefused as error:
            return str(error)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))
    assert answers[::2] == [expected] * 3
    assert all("TARGET_LANGUAGE 'xx' is not served; there are: es" in answer for answer in answers[1::2])


def test_a_pair_that_is_unloaded_and_loaded_again_leaves_the_offer_and_comes_back(connection, mt):
    repository = ModelRepository(connection)
    repository.unload("opus_mt_de_en")
    try:
        with pytest.raises(EngineRefused, match="'de-es' is not served; there are: en-es"):
            mt.translate("Yes", "de", "es")
        assert mt.language_pairs() == (LanguagePair("en", "es"),)
    finally:
        repository.load("opus_mt_de_en")
    assert LanguagePair("de", "es") in mt.language_pairs()
    assert mt.translate("He has two dogs.", "de", "es")


def test_a_new_version_that_does_not_fit_leaves_the_old_one_serving(connection, repository, mt):
    before = mt.translate(SENTENCES[2], "en", "es")
    broken = repository / "opus_mt_en_es" / "2"
    shutil.copytree(repository / "opus_mt_en_es" / "1", broken)
    (broken / "vocab.json").write_text('{"</s>": 0, "<unk>": 1, "<pad>": 1499}', "utf-8")
    try:
        with pytest.raises(EngineRefused, match="they are not of one model"):
            ModelRepository(connection).load("opus_mt_en_es")
    finally:
        shutil.rmtree(broken)
    assert mt.translate(SENTENCES[2], "en", "es") == before


def test_without_any_model_of_a_pair_the_server_does_not_start(tmp_path):
    server = EmbeddedTriton([ENGINE], repository=router_repository(tmp_path), run_dir=tmp_path / "run")
    with pytest.raises(TritonStartFailed, match="run `polylip models export marian --checkpoint PATH`"):
        server.start()


def test_pairs_cannot_be_read_while_no_model_of_a_pair_is_loaded(connection, mt):
    repository = ModelRepository(connection)
    for model in ("opus_mt_de_en", "opus_mt_en_es"):
        repository.unload(model)
    try:
        with pytest.raises(ContractViolation, match="no model of a pair"):
            mt.language_pairs()
    finally:
        for model in ("opus_mt_de_en", "opus_mt_en_es"):
            repository.load(model)
