import pytest
from generate.generation import DecodingOptions
from generate.parameters import BadParameter
from generate.xtts.guard import Guard
from generate.xtts.options import XttsOptions, read_options, read_sampling

PUBLISHED = DecodingOptions(602, temperature=0.75, top_k=50, top_p=0.85, repetition_penalty=10.0)


def test_without_parameters_everything_is_as_published() -> None:
    assert read_options({}) == XttsOptions()
    sampling = read_sampling({}, PUBLISHED)
    assert (sampling.temperature, sampling.top_k, sampling.top_p, sampling.repetition_penalty) == (0.75, 50, 0.85, 10.0)
    assert sampling.hidden


def test_every_parameter_is_read() -> None:
    options = read_options(
        {
            **{
                "chunk_codes": "30",
                "later_codes": "60",
                "cached_voices": "2",
                "default_voice": "Ana",
                "min_speaker_audio_s": "2",
            },
            **{"max_speaker_audio_s": "30", "max_text_chars": "90", "speed_range": "0.8 1.25", "seed": "7"},
            **{"force_codes": "100", "plausible_letters_per_s": "4 50", "plausible_slack_s": "2", "of_another": "x"},
        }
    )
    assert options == XttsOptions(30, 60, 2, "Ana", 2.0, 30.0, 90, (0.8, 1.25), 7, 100, Guard((4.0, 50.0), 2.0))
    sampling = read_sampling({"temperature": "0", "top_k": "0", "top_p": "1", "repetition_penalty": "2"}, PUBLISHED)
    assert (sampling.temperature, sampling.top_k, sampling.top_p, sampling.repetition_penalty) == (0, 0, 1, 2)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("chunk_codes", "7"),
        ("chunk_codes", "x"),
        ("cached_voices", "0"),
        ("max_text_chars", "-1"),
        ("speed_range", "1"),
        ("speed_range", "2 1"),
        ("seed", "-1"),
        ("plausible_letters_per_s", "0 9"),
        ("plausible_slack_s", "nan"),
    ],
)
def test_a_parameter_that_cannot_be_fails_the_load_by_its_name(key: str, text: str) -> None:
    with pytest.raises(BadParameter, match=f"parameter {key} is {text!r}"):
        read_options({key: text})


@pytest.mark.parametrize(("key", "text"), [("temperature", "inf"), ("top_k", "1.5"), ("top_p", "0")])
def test_so_does_one_of_the_sampling(key: str, text: str) -> None:
    with pytest.raises(BadParameter, match=f"parameter {key} is {text!r}"):
        read_sampling({key: text}, PUBLISHED)
