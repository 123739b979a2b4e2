import pytest

from client.contracts import LanguagePair, MelSpec, SpeechPace
from client.errors import ContractViolation
from client.model_config import ModelConfig

LIPS = {
    "face_size_px": "96",
    "crop_margins": "0 0 0 0.1",
    "mouth_region": "0.1 0.5 0.9 1",
    "blend": "replace",
}


def config(max_batch_size: int = 8, **parameters: str) -> ModelConfig:
    return ModelConfig(model="engine", max_batch_size=max_batch_size, parameters=parameters)


def test_languages_and_pairs_are_read():
    read = config(languages="en es  fil", language_pairs="en-es es-en")

    assert read.languages() == ("en", "es", "fil")
    assert read.language_pairs() == (LanguagePair("en", "es"), LanguagePair("es", "en"))


def test_a_speech_engine_may_state_its_pace():
    assert config().speech_pace() == SpeechPace()
    stated = config(speed_range="0.5 2", letters_per_s="en 15.8 es 15").speech_pace()
    assert stated == SpeechPace((0.5, 2.0), {"en": 15.8, "es": 15.0})


@pytest.mark.parametrize(
    "parameters",
    [
        *({"speed_range": text} for text in ("", "1", "1.1 2", "0.5 0.9", "0 2", "0.5 inf", "a b", "0.5 1 2")),
        *({"letters_per_s": text} for text in ("en", "en 0", "en x", "12 en", "en 12 es")),
    ],
)
def test_a_pace_that_makes_no_sense_is_refused(parameters):
    with pytest.raises(ContractViolation, match=next(iter(parameters))):
        config(**parameters).speech_pace()


def test_a_speech_engine_may_state_that_it_clones_voices_and_how_long_a_text_may_be():
    assert (config().clones_voice(), config().max_text_chars()) == (False, None)
    stated = config(clones_voice="true", max_text_chars="5000")
    assert (stated.clones_voice(), stated.max_text_chars()) == (True, 5000)
    assert not config(clones_voice="false").clones_voice()


@pytest.mark.parametrize("text", ["", "True", "yes", "1"])
def test_whether_a_voice_is_cloned_is_true_or_false_and_nothing_else(text):
    with pytest.raises(ContractViolation, match="clones_voice"):
        config(clones_voice=text).clones_voice()


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "many"])
def test_a_limit_of_texts_that_makes_no_sense_is_refused(text):
    with pytest.raises(ContractViolation, match="max_text_chars"):
        config(max_text_chars=text).max_text_chars()


def test_a_lips_engine_without_mel_parameters_wants_the_published_mel():
    profile = config(**LIPS).lips_profile()

    assert profile.mel == MelSpec()
    assert (profile.face_size_px, profile.max_batch_size, profile.blend) == (96, 8, "replace")
    assert profile.crop_margins == (0, 0, 0, 0.1)
    assert profile.mouth_region == (0.1, 0.5, 0.9, 1)


def test_a_lips_engine_may_name_its_output():
    assert config(**LIPS).lips_profile().output == "FACES"
    assert config(**LIPS, output="MOVED").lips_profile().output == "MOVED"


def test_a_lips_engine_may_want_the_box_stretched():
    assert config(**LIPS).lips_profile().crop_fit == "square"
    assert config(**LIPS, crop_fit="stretch").lips_profile().crop_fit == "stretch"
    with pytest.raises(ContractViolation, match="crop_fit"):
        config(**LIPS, crop_fit="round").lips_profile()


def test_every_mel_field_can_be_stated():
    stated = {
        "mel_sample_rate_hz": "22050",
        "mel_n_fft": "1024",
        "mel_hop_length": "256",
        "mel_win_length": "1000",
        "mel_n_mels": "40",
        "mel_fmin_hz": "20",
        "mel_fmax_hz": "8000.5",
        "mel_preemphasis": "0",
        "mel_ref_level_db": "0",
        "mel_min_level_db": "-120",
        "mel_max_abs_value": "1",
        "mel_steps": "32",
    }
    assert config(**LIPS, **stated).lips_profile().mel == MelSpec(
        22050, 1024, 256, 1000, 40, 20.0, 8000.5, 0.0, 0.0, -120.0, 1.0, 32
    )


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("face_size_px", "large"),
        ("face_size_px", "0"),
        ("crop_margins", "0 0 0"),
        ("crop_margins", "0 0 0 nan"),
        ("mouth_region", "0.9 0.5 0.1 1"),
        ("mouth_region", "0 0 1 1.5"),
        ("blend", "magic"),
        ("mel_n_mels", "80.5"),
        ("mel_hop", "200"),
        ("mel_fmin_hz", "low"),
        ("mel_fmax_hz", "inf"),
        ("mel_fmax_hz", "9000"),
        ("mel_win_length", "1000"),
        ("mel_min_level_db", "0"),
        ("mel_max_abs_value", "-4"),
    ],
)
def test_a_wrong_lips_parameter_is_named(parameter, value):
    with pytest.raises(ContractViolation, match=f"parameter {parameter}"):
        config(**{**LIPS, parameter: value}).lips_profile()


@pytest.mark.parametrize("parameter", LIPS)
def test_a_missing_lips_parameter_is_named(parameter):
    rest = {key: value for key, value in LIPS.items() if key != parameter}
    with pytest.raises(ContractViolation, match=f"parameter {parameter} is missing"):
        config(**rest).lips_profile()


@pytest.mark.parametrize("value", ["", "  ", "EN", "en-es", "en,es"])
def test_wrong_languages_are_named(value):
    with pytest.raises(ContractViolation, match="parameter languages"):
        config(languages=value).languages()


@pytest.mark.parametrize("value", ["", "en", "en-es-fr", "en_es", "-es"])
def test_wrong_language_pairs_are_named(value):
    with pytest.raises(ContractViolation, match="parameter language_pairs"):
        config(language_pairs=value).language_pairs()


def test_a_batched_task_needs_a_batch_axis():
    with pytest.raises(ContractViolation, match="max_batch_size"):
        config(max_batch_size=0, **LIPS).lips_profile()


def test_a_face_detector_may_state_its_short_side():
    assert config().short_side_px() is None
    assert config(short_side_px="192").short_side_px() == 192
    with pytest.raises(ContractViolation, match="parameter short_side_px"):
        config(short_side_px="0").short_side_px()
