import pytest

from client.contracts import EngineStatus, LanguagePair
from client.errors import ContractViolation
from client.model_config import ModelConfig
from client.pair_models import pair_models, with_pairs

ROUTER = {"pair_models": "opus_mt_*", "pivot_language": "en"}


def status(name: str, *, ready: bool = True) -> EngineStatus:
    return EngineStatus(name, "1", ready=ready, reason="")


def offered(*stated: str, **parameters: str) -> tuple[LanguagePair, ...]:
    found = with_pairs({**ROUTER, **parameters}, [{"language_pairs": text} for text in stated])
    return ModelConfig("mt_opus", 0, found).language_pairs()


def test_a_routing_engine_offers_what_its_ready_models_state():
    statuses = [status("opus_mt_en_es"), status("opus_mt_en_es"), status("opus_mt_en_de", ready=False), status("tts")]
    assert pair_models(ROUTER, statuses) == ("opus_mt_en_es",)
    assert pair_models({"language_pairs": "en-es"}, statuses) == ()
    assert pair_models({**ROUTER, "language_pairs": "en-es"}, statuses) == ()


def test_two_pairs_that_meet_in_the_pivot_language_make_a_third():
    assert set(offered("en-es", "de-en")) == {
        LanguagePair("en", "es"),
        LanguagePair("de", "en"),
        LanguagePair("de", "es"),
    }


def test_there_and_back_is_no_pair():
    assert set(offered("en-es", "es-en")) == {LanguagePair("en", "es"), LanguagePair("es", "en")}


def test_pairs_that_meet_elsewhere_make_none():
    assert set(offered("fr-es", "de-fr")) == {LanguagePair("fr", "es"), LanguagePair("de", "fr")}
    assert set(offered("en-es", "de-en", pivot_language="")) == {LanguagePair("en", "es"), LanguagePair("de", "en")}


def test_a_model_with_several_targets_offers_them_all():
    assert set(offered("en-es en-fr")) == {LanguagePair("en", "es"), LanguagePair("en", "fr")}


def test_without_any_model_the_engine_says_what_is_missing():
    with pytest.raises(
        ContractViolation, match=r"no model of a pair \(opus_mt_\*\) is loaded: run `polylip models export"
    ):
        offered()
