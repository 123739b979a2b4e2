import json
from typing import Any

import pytest
from engine_kit.refusals import InvalidRequest
from generate.generation import DecodingOptions
from generate.tokens.front_end import read_options

DEFAULTS = DecodingOptions(20, beams=2, suppress=(4,))


def read(**given: Any) -> Any:
    return read_options(json.dumps(given), DEFAULTS)


def test_without_options_the_versions_defaults_hold() -> None:
    wish = read_options("", DEFAULTS)
    assert (wish.options.max_new_tokens, wish.options.beams, wish.options.suppress) == (20, 2, (4,))
    assert (wish.stream, wish.prompt_logits) == (False, ())
    assert wish.options.logprobs


def test_every_option_is_taken_over_with_its_type() -> None:
    given = {
        **{"max_new_tokens": 3, "min_new_tokens": 1, "beams": 1, "hypotheses": 2, "length_penalty": 2, "top_k": 9},
        **{"early_stopping": None, "temperature": 1, "top_p": 0.5, "repetition_penalty": 1.5, "seed": 8},
        **{"suppress": [1], "begin_suppress": [2, 3], "eos": [], "forced": {"0": 5}, "forced_eos": True},
        **{"logprobs": False, "hidden": True, "prompt_logits": [0, -1], "stream": True},
    }
    wish = read(**given)
    assert (wish.prompt_logits, wish.stream) == ((0, -1), True)
    changed = {"suppress": (1,), "begin_suppress": (2, 3), "eos": (), "forced": {0: 5}}
    expected = {name: value for name, value in given.items() if name not in ("prompt_logits", "stream")}
    assert wish.options == DecodingOptions(**{**expected, **changed})
    assert isinstance(wish.options.temperature, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "OPTIONS is not JSON"),
        ("[1]", "OPTIONS must be a JSON object"),
        ('{"beam": 2}', "OPTIONS has unknown fields: beam"),
        ('{"rules": []}', "OPTIONS has unknown fields: rules"),
        ('{"beams": 1.5}', "OPTIONS: beams cannot be 1.5"),
        ('{"beams": true}', "OPTIONS: beams cannot be True"),
        ('{"temperature": "hot"}', "OPTIONS: temperature cannot be 'hot'"),
        ('{"temperature": NaN}', "OPTIONS: temperature cannot be nan"),
        ('{"suppress": 3}', "OPTIONS: suppress cannot be 3"),
        ('{"forced": {"first": 3}}', "OPTIONS: forced cannot be"),
        ('{"early_stopping": "never"}', "OPTIONS: early_stopping cannot be 'never'"),
    ],
)
def test_odd_options_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_options(text, DEFAULTS)
    assert message in str(refused.value)
