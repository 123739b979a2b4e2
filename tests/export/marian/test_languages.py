"""What a folder translates between."""

import pytest

from client.contracts import LanguagePair
from export.errors import CheckpointRefused
from export.marian.family import FAMILY
from export.marian.languages import read_languages


def languages(path, *stated):
    return read_languages(FAMILY.stated(FAMILY.read(path), stated))


def test_a_pair_comes_from_the_tokenizers_settings(folder):
    found = languages(folder)
    assert found.triton_model == "opus_mt_en_es"
    assert found.pairs == (LanguagePair("en", "es"),)
    assert found.targets == {"es": ""}


def test_codes_of_three_letters_become_those_of_two(edited):
    found = languages(edited(tokenizer_config={"source_lang": "eng", "target_lang": "spa"}))
    assert found.triton_model == "opus_mt_en_es"
    assert found.pairs == (LanguagePair("en", "es"),)


@pytest.mark.parametrize(
    ("name", "model", "pairs"),
    [
        ("opus-mt-de-en", "opus_mt_de_en", [("de", "en")]),
        ("opus-mt-tc-big-fr-en", "opus_mt_fr_en", [("fr", "en")]),
        ("opus-mt-cat_spa-en", "opus_mt_ca_es_en", [("ca", "en"), ("es", "en")]),
    ],
)
def test_without_settings_the_folders_name_says_it(edited, name, model, pairs):
    found = languages(edited(name=name, tokenizer_config=None))
    assert found.triton_model == model
    assert found.pairs == tuple(LanguagePair(*pair) for pair in pairs)


def test_a_stated_pair_goes_before_everything_else(folder):
    found = languages(folder, "de-fr")
    assert found.triton_model == "opus_mt_de_fr"
    assert found.targets == {"fr": ""}


def test_a_model_with_several_targets_has_a_token_for_each(multilingual):
    found = languages(multilingual)
    assert found.triton_model == "opus_mt_en_roa"
    assert found.targets == {"ca": ">>cat<<", "fr": ">>fra<<", "pt": ">>por<<", "es": ">>spa<<"}
    assert {pair.target for pair in found.pairs} == {"ca", "fr", "pt", "es"}


def test_stated_pairs_choose_among_several_targets(multilingual):
    found = languages(multilingual, "en-es", "en-fr")
    assert found.triton_model == "opus_mt_en_es_fr"
    assert found.targets == {"es": ">>spa<<", "fr": ">>fra<<"}


@pytest.mark.parametrize(
    ("stated", "message"),
    [(("en-de",), "does not translate into de, but ca es fr pt"), (("english",), "a pair is written like en-es")],
)
def test_a_stated_pair_that_cannot_be_is_refused(multilingual, stated, message):
    with pytest.raises(CheckpointRefused, match=message):
        languages(multilingual, *stated)


def test_a_model_with_one_target_cannot_be_stated_to_have_two(folder):
    with pytest.raises(CheckpointRefused, match="into one language, not into es and fr"):
        languages(folder, "en-es", "en-fr")


def test_a_group_of_source_languages_has_to_be_stated(edited):
    path = edited(name="opus-mt-ROMANCE-en", tokenizer_config={"source_lang": "ROMANCE", "target_lang": "en"})
    with pytest.raises(
        CheckpointRefused, match="which source languages 'ROMANCE' stands for is not known here: --pair"
    ):
        languages(path)
    assert languages(path, "es-en", "fr-en").triton_model == "opus_mt_es_fr_en"


def test_a_folder_that_does_not_say_it_is_refused(edited):
    with pytest.raises(CheckpointRefused, match="--pair en-es"):
        languages(edited(name="my-model", tokenizer_config=None))
