import asyncio

import numpy as np
import pytest

from client.aio import AsyncTriton
from client.asked_languages import AskedLanguages, completed, must_be_asked
from client.model_config import ModelConfig
from client.triton import TritonConnection, TritonStt

SILENCE = np.zeros(160, np.float32)


def config(**parameters: str) -> ModelConfig:
    return ModelConfig(model="stt", max_batch_size=0, parameters=parameters)


def test_only_a_config_that_leaves_its_languages_to_an_output_has_to_be_asked() -> None:
    assert must_be_asked(config(languages_output="LANGUAGES"))
    assert not must_be_asked(config(languages="en"))
    assert not must_be_asked(config(languages="en", languages_output="LANGUAGES"))
    assert completed(config(languages_output="LANGUAGES"), "en es").languages() == ("en", "es")


def test_an_answer_holds_for_the_versions_that_served_then() -> None:
    asked = AskedLanguages()
    assert asked.recall("stt", ("1",)) is None
    asked.learn("stt", ("1",), "en es")
    assert asked.recall("stt", ("1",)) == "en es"
    assert asked.recall("stt", ("2",)) is None, "another checkpoint may know others"
    assert asked.recall("other", ("1",)) is None


@pytest.mark.triton
def test_a_model_is_asked_once_for_what_its_version_hears(connection: TritonConnection) -> None:
    engine = TritonStt(connection, "stt_asked", timeout_s=20)
    before = int(engine.transcribe(SILENCE).text)
    assert connection.config_with_languages("stt_asked").languages() == ("en", "fr")
    assert connection.config_with_languages("stt_asked").languages() == ("en", "fr")
    assert int(engine.transcribe(SILENCE).text) == before + 2
    assert connection.config_with_languages("stt_moods").languages() == ("en", "es"), "as its config states"


@pytest.mark.triton
def test_the_gateway_asks_likewise(moody_triton) -> None:
    async def ask() -> dict[str, str]:
        triton = AsyncTriton(moody_triton.grpc_url, 10)
        try:
            first, again = [await triton.config_parameters("stt_asked") for _ in range(2)]
        finally:
            await triton.close()
        assert first == again
        return first

    assert asyncio.run(ask()) == {"languages": "en fr", "languages_output": "SPOKEN"}


@pytest.mark.triton
def test_an_undetermined_language_is_none(connection: TritonConnection) -> None:
    assert TritonStt(connection, "stt_asked", timeout_s=20).transcribe(SILENCE).language == ""
