import pytest
from generate.parameters import BadParameter
from generate.whisper.options import WhisperOptions, read_options
from generate.whisper.verdict import Thresholds


def test_without_parameters_it_decodes_as_openai_whisper_does() -> None:
    assert read_options({"languages": "en"}) == WhisperOptions(
        full_context=True,
        temperatures=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        best_of=5,
        thresholds=Thresholds(compression_ratio=2.4, logprob=-1.0, no_speech=0.6),
    )


def test_every_parameter_is_read() -> None:
    read = read_options(
        {
            "audio_context": "actual",
            "temperatures": "0",
            "best_of": "2",
            "max_audio_s": "45.5",
            "voice_gate": "false",
            "compression_ratio_threshold": "3",
            "logprob_threshold": "-2",
            "no_speech_threshold": "0.5",
            "max_chars_per_s": "40",
        }
    )
    assert read == WhisperOptions(
        full_context=False,
        temperatures=(0.0,),
        best_of=2,
        max_audio_s=45.5,
        voice_gate=False,
        thresholds=Thresholds(compression_ratio=3.0, logprob=-2.0, no_speech=0.5, chars_per_s=40.0),
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("audio_context", "half"),
        ("temperatures", ""),
        ("temperatures", "0.2 0"),
        ("temperatures", "0 nan"),
        ("temperatures", "-1 0"),
        ("best_of", "0"),
        ("best_of", "five"),
        ("max_audio_s", "0"),
        ("voice_gate", "yes"),
        ("logprob_threshold", "inf"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_its_name(key: str, text: str) -> None:
    with pytest.raises(BadParameter, match=f"parameter {key} is {text!r}"):
        read_options({key: text})
