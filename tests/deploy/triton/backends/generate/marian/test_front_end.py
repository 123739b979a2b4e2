"""A text through the front-end, with an engine that says what the test wants it to say."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from engine_kit.refusals import InvalidRequest
from generate.fields import BadFolder
from generate.folder import read_folder
from generate.frontend import RequestTensors, open_front_end
from generate.generation import Finish, GenerationRequest, GenerationResult, Hypothesis
from generate.marian.front_end import MarianFrontEnd, clean

Say = Callable[[str], str]


def text_of(front_end: MarianFrontEnd, request: GenerationRequest) -> str:
    return front_end.vocabulary.decode(request.source.inputs["input_ids"].tolist())


def answered(front_end: MarianFrontEnd, said: str) -> GenerationResult:
    tokens = tuple(front_end.vocabulary.encode(said))
    return GenerationResult((Hypothesis(tokens, 0.0, Finish.EOS, None),), np.zeros((0, 1500), np.float32))


def translate(front_end: MarianFrontEnd, text: str, say: Say = str, **inputs: object):
    """Return the outputs and what the engine was asked."""
    arrays = {"TEXT": np.array([text.encode()], np.object_)}
    for name, value in inputs.items():
        kind = np.int32 if isinstance(value, int) else np.object_
        arrays[name] = np.array([value.encode() if isinstance(value, str) else value], kind)
    job = front_end.job(RequestTensors(arrays), lambda outputs: pytest.fail("emitted"))
    asked: Sequence[GenerationRequest] = []
    try:
        asked = next(job)
        job.send([answered(front_end, say(text_of(front_end, request))) for request in asked])
    except StopIteration as done:
        return done.value, asked
    raise AssertionError("the job goes on")


def said(front_end: MarianFrontEnd, text: str, say: Say = str, **inputs: object) -> str:
    return translate(front_end, text, say, **inputs)[0]["TEXT"]


def test_a_sentence_is_one_generation_with_the_versions_own_search(front_end):
    outputs, asked = translate(front_end, "We played in the sand.", lambda text: "Jugábamos en la arena.")
    assert outputs == {"TEXT": "Jugábamos en la arena.", "LOST_NUMBERS": ""}
    [request] = asked
    assert request.prompt == (1499,)
    assert (request.options.beams, request.options.length_penalty) == (4, 1.0)
    assert request.options.suppress == (1499,)
    assert request.options.forced_eos
    assert request.source.inputs["input_ids"].dtype == np.int64
    assert request.source.inputs["input_ids"][-1] == 0


def test_sentences_decode_together_and_are_joined_as_they_stood(front_end):
    text = "We played. 😀  Now I swim!\nThe end"
    outputs, asked = translate(front_end, text, lambda text: f"{text}-")
    assert len(asked) == 3
    assert outputs["TEXT"] == "We played.- 😀  Now I swim!-\nThe end-"


@pytest.mark.parametrize("text", ["", "...", "😀", "?! 12:30", " \n "])
def test_a_text_without_words_comes_back_as_it_is(front_end, text):
    outputs, asked = translate(front_end, text)
    assert outputs["TEXT"] == text
    assert list(asked) == []


def test_a_shout_is_translated_as_an_ordinary_sentence_and_shouted_again(front_end):
    heard = []
    assert said(front_end, "WE PLAYED HERE", lambda text: heard.append(text) or "jugamos aquí") == "JUGAMOS AQUÍ"
    assert heard == ["We played here"]


def test_a_sentence_to_which_the_model_says_nothing_stays_as_it_is(front_end):
    text = "We played in 1990. And then?"
    assert said(front_end, text, lambda text: "" if "1990" in text else "¿Y luego?") == "We played in 1990. ¿Y luego?"


def test_a_changed_number_is_put_right_and_a_lost_one_told(front_end):
    outputs, _ = translate(
        front_end, "I have 25 dogs. He has 3 cats.", lambda text: text.replace("25", "52").replace("3", "tres")
    )
    assert outputs == {"TEXT": "I have 25 dogs. He has tres cats.", "LOST_NUMBERS": "3"}


def test_a_sentence_longer_than_the_model_is_cut_at_its_clauses(front_end):
    text = ", ".join(["we played in the sand and we swam in the sea until the evening"] * 12) + "."
    outputs, asked = translate(front_end, text)
    lengths = [len(request.source.inputs["input_ids"]) for request in asked]
    assert len(lengths) > 3
    assert max(lengths) <= 64
    assert outputs["TEXT"].replace(" ", "") == text.replace(" ", "")


def test_ten_thousand_characters_are_served(front_end):
    text = "The doctor told me that I should drink more water. " * 200
    outputs, asked = translate(front_end, text)
    assert len(text) > 10_000
    assert len(asked) == 200
    assert outputs["TEXT"].count("water.") == 200


def test_one_word_of_ten_thousand_characters_is_served(front_end):
    outputs, _ = translate(front_end, "a" * 10_000)
    assert outputs["TEXT"].count("a") == 10_000


def test_a_longer_text_than_the_config_allows_is_refused(version):
    front_end = open_front_end(read_folder(version), {"max_text_chars": "10"})
    with pytest.raises(InvalidRequest, match="TEXT has 11 characters, at most 10 are taken"):
        translate(front_end, "a" * 11)


def test_a_translation_may_be_some_times_longer_than_its_source_and_no_more(front_end):
    _, asked = translate(front_end, "We played.")
    tokens = len(asked[0].source.inputs["input_ids"])
    assert asked[0].options.max_new_tokens == 32 + 4 * tokens
    _, asked = translate(front_end, "We played.", MIN_NEW_TOKENS=100)
    assert (asked[0].options.min_new_tokens, asked[0].options.max_new_tokens) == (100, 127)


def test_a_request_may_state_beams_and_lengths(front_end):
    _, [request] = translate(front_end, "We played.", BEAMS=1, MIN_NEW_TOKENS=20, MAX_NEW_TOKENS=20)
    assert (request.options.beams, request.options.min_new_tokens, request.options.max_new_tokens) == (1, 20, 20)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"BEAMS": 0}, "BEAMS is 0, it must be from 1 to 16"),
        ({"BEAMS": 17}, "BEAMS is 17"),
        ({"MAX_NEW_TOKENS": 0}, "MAX_NEW_TOKENS is 0"),
        ({"MAX_NEW_TOKENS": 128}, "MAX_NEW_TOKENS is 128, the model has 127"),
        ({"MIN_NEW_TOKENS": -1}, "MIN_NEW_TOKENS is -1"),
        ({"MIN_NEW_TOKENS": 9, "MAX_NEW_TOKENS": 8}, "MIN_NEW_TOKENS is 9, above the greatest count 8"),
        ({"TARGET_LANGUAGE": "de"}, "TARGET_LANGUAGE 'de' is not served; there are: es"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_inputs_name(front_end, inputs, message):
    with pytest.raises(InvalidRequest, match=message):
        translate(front_end, "We played.", **inputs)


def test_a_model_with_several_targets_gets_the_languages_token(multilingual):
    _, [request] = translate(multilingual, "We played.", TARGET_LANGUAGE="fr")
    token = multilingual.vocabulary.encode("", ">>fra<<")[0]
    assert request.source.inputs["input_ids"][0] == token


@pytest.mark.parametrize("inputs", [{}, {"TARGET_LANGUAGE": ""}, {"TARGET_LANGUAGE": "it"}])
def test_a_model_with_several_targets_has_to_be_told_one_of_them(multilingual, inputs):
    with pytest.raises(InvalidRequest, match=r"TARGET_LANGUAGE .* is not served; there are: ca fr pt es"):
        translate(multilingual, "We played.", **inputs)


def test_control_characters_become_blanks_and_accents_one_character():
    assert clean("a\x00b\tc\nd e\u0301") == "a b c\nd é"


@pytest.mark.parametrize(
    ("generation", "message"),
    [
        ({"marian": {}}, r"marian\.targets is missing"),
        ({"marian": {"targets": {}, "max_source_tokens": 9}}, r"marian\.targets must be an object of language codes"),
        ({"marian": {"targets": {"es": "spa"}, "max_source_tokens": 9}}, r"marian\.targets must be"),
        ({"marian": {"targets": {"es": ">>spa<<"}, "max_source_tokens": 9}}, "vocab.json has no token >>spa<<"),
        ({"marian": {"targets": {"es": ""}, "max_source_tokens": 1}}, r"marian\.max_source_tokens must be .* 2 to 128"),
        ({"marian": {"targets": {"es": ""}, "max_source_tokens": 9, "x": 1}}, r"unknown field\(s\) x"),
        ({"vocab_size": 1499, "pad": 0, "start": 0, "suppress": []}, "does not fit the model: '<pad>' is number 1499"),
        ({"start": None}, "start is missing"),
    ],
)
def test_a_version_that_does_not_fit_is_refused_with_the_reason(edited, generation, message):
    with pytest.raises(BadFolder, match=message):
        open_front_end(read_folder(edited(generation)), {})


def test_a_limit_that_is_no_number_is_refused(version):
    with pytest.raises(BadFolder, match="parameter max_text_chars must be a whole number above 0, it is 'many'"):
        open_front_end(read_folder(version), {"max_text_chars": "many"})
