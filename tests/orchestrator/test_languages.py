import pytest

from client.contracts import LanguagePair, Task
from client.errors import ContractViolation
from client.model_config import ModelConfig
from orchestrator.errors import LanguagePairUnsupported
from orchestrator.languages import chosen_engines, offer_of, required_engines
from orchestrator.settings import EngineSettings


def config(**parameters):
    return ModelConfig(model="m", max_batch_size=0, parameters=parameters)


def offer(**stt):
    return offer_of(
        config(languages="en fr", **stt), config(language_pairs="en-es es-en en-de fr-es"), config(languages="es de")
    )


def test_a_pair_is_offered_when_it_can_be_heard_translated_and_spoken():
    assert [str(pair) for pair in offer().pairs] == ["en-es", "en-de", "fr-es"]


def test_what_is_not_offered_is_refused_with_the_pairs_there_are():
    with pytest.raises(LanguagePairUnsupported, match="en-es, en-de, fr-es") as refused:
        offer().check("en", "fi")
    assert LanguagePair("en", "es") in refused.value.pairs


def test_the_sources_of_a_target_are_each_named_once():
    assert offer().sources("es") == ("en", "fr")
    assert offer().sources("fi") == ()


def test_an_unknown_source_may_be_any():
    offer().check("", "es")


def test_a_source_is_left_open_only_where_the_engine_detects_it():
    assert offer().source("", "en") == "en"
    assert offer(detects_language="true").source("", "en") == ""
    assert offer(detects_language="true").source("fr", "en") == "fr"


def test_an_engine_that_does_not_state_its_languages_breaks_its_contract():
    with pytest.raises(ContractViolation, match="languages"):
        offer_of(config(), config(language_pairs="en-es"), config(languages="es"))


def test_a_request_overrides_single_engines():
    assert chosen_engines(EngineSettings(), {"lips": "lips_wav2lip"})[Task.LIPS] == "lips_wav2lip"
    assert chosen_engines(EngineSettings(), {})[Task.STT] == EngineSettings().stt


def test_a_task_without_an_engine_is_not_among_the_chosen_or_the_loaded():
    without = EngineSettings(boundary="")
    assert Task.BOUNDARY not in chosen_engines(without, {})
    assert chosen_engines(without, {"boundary": "another"})[Task.BOUNDARY] == "another"
    assert "" not in without.names()


def test_a_boundary_engine_is_required_only_where_the_request_names_it():
    engines = EngineSettings(boundary="sentence_boundary")
    assert set(required_engines(engines, {})) == set(Task) - {Task.BOUNDARY}
    assert required_engines(engines, {"boundary": "another"})[Task.BOUNDARY] == "another"


def test_where_nobody_listens_whatever_is_translated_can_be_dubbed():
    mt, tts = config(language_pairs="en-es fi-es es-fi"), config(languages="es")
    offer = offer_of(None, mt, tts)
    assert offer.pairs == (LanguagePair("en", "es"), LanguagePair("fi", "es"))
    assert offer.source("", "en") == "en"
