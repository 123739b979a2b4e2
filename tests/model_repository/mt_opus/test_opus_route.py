import pytest
from engine_kit.refusals import InvalidRequest
from opus_pairs import PairModels, ReadyPairs
from opus_route import Hop, reachable, route

READY = {"en-es": "opus_mt_en_es", "es-en": "opus_mt_es_en", "de-en": "opus_mt_de_en", "fr-ca": "opus_mt_fr_ca"}


def test_a_pair_with_a_model_of_its_own_is_one_translation():
    assert route("en", "es", READY, "en") == (Hop("opus_mt_en_es", "es"),)


def test_a_pair_without_one_goes_by_way_of_english():
    assert route("de", "es", READY, "en") == (Hop("opus_mt_de_en", "en"), Hop("opus_mt_en_es", "es"))


def test_the_same_language_needs_no_translation():
    assert route("xx", "xx", READY, "en") == ()


def test_a_missing_pair_is_told_with_those_there_are():
    with pytest.raises(InvalidRequest, match="'es-de' is not served; there are: de-en de-es en-es es-en fr-ca"):
        route("es", "de", READY, "en")


def test_without_any_model_the_refusal_says_what_makes_one():
    with pytest.raises(InvalidRequest, match=r"there are: none: .* \(polylip models export marian\)"):
        route("en", "es", {}, "en")


def test_reachable_pairs_are_those_that_have_a_route():
    pairs = reachable(READY, "en")
    assert all(route(*pair.split("-"), READY, "en") for pair in pairs)
    assert len(pairs) == 5


@pytest.fixture
def write(tmp_path):
    def write(model, pairs):
        (tmp_path / model).mkdir(exist_ok=True)
        text = f'parameters [ {{ key: "language_pairs" value {{ string_value: "{pairs}" }} }} ]'
        (tmp_path / model / "config.pbtxt").write_text(text, "utf-8")
        return tmp_path

    return write


def test_models_state_their_pairs_in_their_configs(write):
    write("opus_mt_en_roa", "en-es en-fr")
    write("mt_other", "en-it")
    repository = write("opus_mt_en_es", "en-es")
    (repository / "opus_mt_en_es" / "1").mkdir()
    (repository / "opus_mt_broken").mkdir()
    found = PairModels(repository, "opus_mt_*").by_pair()
    assert found == {"en-es": ("opus_mt_en_es", "opus_mt_en_roa"), "en-fr": ("opus_mt_en_roa",)}


def test_a_model_that_comes_or_goes_later_is_noticed(write):
    repository = write("opus_mt_en_es", "en-es")
    pairs = PairModels(repository, "opus_mt_*")
    assert set(pairs.by_pair()) == {"en-es"}
    write("opus_mt_de_en", "de-en")
    (repository / "opus_mt_en_es" / "config.pbtxt").unlink()
    assert set(pairs.by_pair()) == {"de-en"}


def test_only_the_models_of_the_pairs_on_the_way_are_asked_whether_they_are_ready():
    asked = []
    models = {"en-es": ("opus_mt_en_es", "opus_mt_en_roa"), "es-en": ("opus_mt_es_en",), "de-en": ("opus_mt_de_en",)}
    ready = ReadyPairs(models, lambda model: asked.append(model) or model != "opus_mt_en_es")
    assert route("en", "es", ready, "en") == (Hop("opus_mt_en_roa", "es"),)
    assert asked == ["opus_mt_en_es", "opus_mt_en_roa"]
    assert dict(ready) == {"en-es": "opus_mt_en_roa", "es-en": "opus_mt_es_en", "de-en": "opus_mt_de_en"}
    assert len(ready) == 3
