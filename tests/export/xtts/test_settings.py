"""config.json and vocab.json: what they must say."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from export.errors import CheckpointRefused
from export.xtts.generation import generation_settings
from export.xtts.settings import XttsSettings, languages_of, settings_of
from export.xtts.synth_config import LANGUAGES, config_of
from export.xtts.synth_vocabulary import invented_vocabulary
from export.xtts.vocabulary import TextTokens, language_token, text_tokens

TOKENS = TextTokens(6681, 261, 0)


def published() -> dict:
    return config_of(30, 1024, 16, 6681)


def test_the_published_sizes_are_read():
    settings = settings_of(published(), TOKENS)
    assert (settings.layers, settings.width, settings.heads, settings.head_dim) == (30, 1024, 16, 64)
    assert (settings.text_positions, settings.audio_positions, settings.max_positions) == (404, 608, 1044)
    assert settings.languages == LANGUAGES


def test_generation_json_says_what_the_backend_reads():
    said = generation_settings(settings_of(published(), TOKENS))
    assert said["family"] == "xtts"
    assert (said["layers"], said["heads"], said["head_dim"], said["vocab_size"]) == (30, 16, 64, 1026)
    assert (said["max_positions"], said["eos"], said["pad"]) == (1044, [1025], 1025)
    assert said["defaults"] == {
        "max_new_tokens": 602, "temperature": 0.75, "top_k": 50, "top_p": 0.85, "repetition_penalty": 10.0
    }  # fmt: skip
    section = said["xtts"]
    assert (section["start_audio"], section["text_start"], section["text_stop"]) == (1024, 261, 0)
    assert (section["latents"], section["embedding"], section["code_stride"], section["hop"]) == (32, 512, 1024, 256)
    assert section["conditioning"] == {"length_s": 30, "chunk_s": 4, "max_reference_s": 30}
    assert "zh-cn" in section["languages"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"model": "vits"}, "of the model 'vits', not 'xtts'"),
        ({"model_args": None}, "no model_args"),
        ({"languages": []}, "no usable languages"),
        ({"languages": "en"}, "no usable languages"),
        ({"gpt_cond_len": 0}, "no usable gpt_cond_len"),
        ({"gpt_cond_len": 3}, "gpt_cond_chunk_len is greater than gpt_cond_len"),
        ({"max_ref_len": None}, "no usable max_ref_len"),
    ],
)
def test_a_config_of_something_else_is_refused(changed, reason):
    with pytest.raises(CheckpointRefused, match=reason):
        settings_of(published() | changed, TOKENS)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"gpt_use_perceiver_resampler": False}, "XTTS-v1"),
        ({"gpt_layers": "30"}, "no usable gpt_layers"),
        ({"gpt_layers": True}, "no usable gpt_layers"),
        ({"gpt_n_heads": 15}, "15 heads do not divide a width of 1024"),
        ({"decoder_input_dim": 512}, "decoder_input_dim 512 is not the width 1024"),
        ({"gpt_stop_audio_token": 1026}, "none of the 1026 audio codes"),
        ({"output_sample_rate": 22050}, "output_sample_rate 22050, XTTS-v2 has 24000"),
        ({"d_vector_dim": 256}, "d_vector_dim 256, XTTS-v2 has 512"),
        ({"cond_d_vector_in_each_upsampling_layer": False}, "cond_d_vector_in_each_upsampling_layer False"),
    ],
)
def test_a_network_of_another_kind_is_refused(changed, reason):
    config = published()
    with pytest.raises(CheckpointRefused, match=reason):
        settings_of({**config, "model_args": config["model_args"] | changed}, TOKENS)


def test_a_config_of_version_one_that_leaves_the_perceiver_out_is_refused():
    config = published()
    del config["model_args"]["gpt_use_perceiver_resampler"]
    with pytest.raises(CheckpointRefused, match="XTTS-v1"):
        settings_of(config, TOKENS)


def test_the_tokens_that_every_text_has_are_found():
    tokenizer = invented_vocabulary(6681)
    found = text_tokens(tokenizer, languages_of(published()))
    assert found.count == tokenizer.get_vocab_size() == 6681
    assert found.stop == 0
    text = "[es]ola[SPACE]qu\u00e9[SPACE]tal?"
    ids = tokenizer.encode(text).ids
    assert "[UNK]" not in tokenizer.encode(text).tokens
    assert ids[0] == tokenizer.token_to_id(language_token("es"))
    assert tokenizer.decode(ids, skip_special_tokens=False).replace(" ", "") == text


def test_a_vocabulary_of_another_model_is_refused():
    other = Tokenizer(BPE(vocab={"a": 0, "[STOP]": 1}, merges=[]))
    with pytest.raises(CheckpointRefused, match=r"has no \[START\], \[SPACE\], \[UNK\], \[en\]"):
        text_tokens(other, ["en"])


def test_a_vocabulary_too_small_for_the_tokens_that_every_text_needs_cannot_be_invented():
    with pytest.raises(ValueError, match="cannot have the"):
        invented_vocabulary(40)


def test_settings_know_what_a_text_may_have():
    settings: XttsSettings = settings_of(published(), TOKENS)
    assert settings.max_text_tokens + 2 <= settings.text_positions
    assert settings.max_new_tokens + 1 <= settings.audio_positions  # the start code has a position, too
