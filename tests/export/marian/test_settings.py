"""What config.json and generation_config.json may say."""

import pytest

from export.errors import CheckpointRefused
from export.marian.family import FAMILY
from export.marian.settings import read_search, read_settings


def test_sizes_and_tokens_come_from_the_config(published):
    settings = read_settings(published)
    assert (settings.width, settings.encoder_layers, settings.decoder_heads, settings.decoder_hidden) == (64, 2, 4, 128)
    assert (settings.start_token, settings.end_token, settings.pad_token) == (1499, 0, 1499)
    assert settings.shape.head_dim == 16
    assert settings.scales_embedding


def test_the_search_is_the_folders_own(published):
    search = read_search(published, read_settings(published))
    assert (search.beams, search.max_length, search.length_penalty, search.early_stopping) == (4, 128, 1.0, False)
    assert search.suppress == (1499,)
    assert search.forced_eos


def test_older_folders_have_the_search_in_config_json(edited):
    published = FAMILY.read(edited(config={"num_beams": 6, "max_length": 512}, generation_config=None))
    search = read_search(published, read_settings(published))
    assert search.beams == 6
    assert search.max_length == 128  # no more than there are positions


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"d_model": None}, "d_model in config.json is None"),
        ({"encoder_layers": 0}, "encoder_layers in config.json is 0"),
        ({"encoder_attention_heads": 5}, "a width of 64 does not divide by 5 heads"),
        ({"normalize_before": True}, "normalize_before is True; Opus-MT as published has False"),
        ({"activation_function": "mish"}, "activation_function 'mish' is none of swish, silu, gelu, relu"),
        ({"share_encoder_decoder_embeddings": False}, "one vocabulary for each language"),
        ({"pad_token_id": 1500}, "token 1500 is beyond vocab_size 1500"),
    ],
)
def test_a_network_that_cannot_be_served_is_refused(edited, config, message):
    with pytest.raises(CheckpointRefused, match=message):
        read_settings(FAMILY.read(edited(config=config)))


@pytest.mark.parametrize(
    ("generation", "message"),
    [
        ({"bad_words_ids": [[5, 6]]}, "words of several tokens"),
        ({"forced_eos_token_id": 7}, "forced_eos_token_id 7 is not the end 0"),
        ({"early_stopping": "never"}, "'never' is neither true nor false"),
    ],
)
def test_a_search_that_cannot_be_repeated_is_refused(edited, generation, message):
    published = FAMILY.read(edited(generation_config=generation))
    with pytest.raises(CheckpointRefused, match=message):
        read_search(published, read_settings(published))


def test_a_folder_of_another_family_is_refused(edited):
    with pytest.raises(CheckpointRefused, match="of the family 'whisper', not marian"):
        FAMILY.read(edited(config={"model_type": "whisper"}))
