import asyncio

import pytest

from client.aio import AsyncTriton
from client.errors import EngineNotLoaded, EngineUnavailable


def ask(url: str, question):
    async def run():
        triton = AsyncTriton(url, control_timeout_s=10)
        try:
            return await question(triton)
        finally:
            await triton.close()

    return asyncio.run(run())


@pytest.mark.triton
def test_a_live_server_says_so(moody_triton):
    assert ask(moody_triton.grpc_url, AsyncTriton.is_live) is True


@pytest.mark.triton
def test_statuses_tell_what_is_loaded(moody_triton):
    statuses = {status.name: status for status in ask(moody_triton.grpc_url, AsyncTriton.statuses)}

    assert statuses["stt_moods"].ready and statuses["stt_moods"].version == "1"
    assert not statuses["broken"].ready


@pytest.mark.triton
def test_model_ready_knows_loaded_from_unloaded_and_unknown(moody_triton):
    async def question(triton):
        return [await triton.model_ready(name) for name in ("stt_moods", "broken", "no_such_model")]

    assert ask(moody_triton.grpc_url, question) == [True, False, False]


@pytest.mark.triton
def test_config_parameters_are_plain_text(moody_triton):
    parameters = ask(moody_triton.grpc_url, lambda triton: triton.config_parameters("stt_moods"))

    assert parameters == {"languages": "en es"}


@pytest.mark.triton
def test_required_models_that_are_loaded_raise_nothing(moody_triton):
    ask(moody_triton.grpc_url, lambda triton: triton.require_loaded(["stt_moods", "lips_plain"]))


@pytest.mark.triton
@pytest.mark.parametrize("name", ["broken", "no_such_model"])
def test_a_required_model_that_is_not_loaded_is_named(moody_triton, name):
    with pytest.raises(EngineNotLoaded) as caught:
        ask(moody_triton.grpc_url, lambda triton: triton.require_loaded(["stt_moods", name]))
    assert caught.value.model == name


@pytest.mark.triton
def test_parameters_of_an_unknown_model_raise(moody_triton):
    with pytest.raises(EngineNotLoaded, match="no_such_model"):
        ask(moody_triton.grpc_url, lambda triton: triton.config_parameters("no_such_model"))


def test_a_server_that_is_away_is_told_from_a_model_that_is_not_loaded():
    assert ask("127.0.0.1:1", AsyncTriton.is_live) is False
    for question in (AsyncTriton.statuses, lambda triton: triton.require_loaded(["m"])):
        with pytest.raises(EngineUnavailable):
            ask("127.0.0.1:1", question)


@pytest.mark.triton
def test_it_can_be_made_before_any_event_loop_runs(moody_triton):
    triton = AsyncTriton(moody_triton.grpc_url, control_timeout_s=10)

    async def question():
        live = await triton.is_live()
        await triton.close()
        return live

    assert asyncio.run(question())
