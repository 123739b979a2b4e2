from pathlib import Path
from typing import Any

import pytest
from engine_kit.refusals import InvalidRequest
from generate.fields import BadFolder, Fields
from generate.whisper.section import WhisperSection, read_section

MULTILINGUAL: dict[str, Any] = {
    "multilingual": True,
    "n_mels": 80,
    "audio_positions": 1500,
    "sot": 50258,
    "transcribe": 50359,
    "no_timestamps": 50363,
    "no_speech": 50362,
    "languages": {"en": 50259, "es": 50262, "jw": 50356, "haw": 50352},
}
ENGLISH: dict[str, Any] = {
    "multilingual": False,
    "n_mels": 80,
    "audio_positions": 1500,
    "sot": 50257,
    "no_timestamps": 50362,
    "no_speech": 50361,
}


def read(section: dict[str, Any], vocab_size: int = 51865) -> WhisperSection:
    return read_section(Fields(Path("1"), section, "whisper"), vocab_size)


def test_a_multilingual_prompt_names_language_and_task() -> None:
    assert read(MULTILINGUAL).prompt("es") == (50258, 50262, 50359, 50363)


def test_an_english_only_prompt_names_neither() -> None:
    section = read(ENGLISH, 51864)
    assert section.prompt("en") == (50257, 50362)
    assert list(section.languages) == ["en"]


def test_a_window_is_two_mel_frames_a_position() -> None:
    assert read(MULTILINGUAL).window_frames == 3000


def test_javanese_is_called_by_its_iso_code() -> None:
    section = read(MULTILINGUAL)
    assert section.candidates("jv") == ("jv",)
    with pytest.raises(InvalidRequest, match="LANGUAGE 'jw'"):
        section.candidates("jw")


def test_one_language_several_or_all_may_be_asked_for() -> None:
    section = read(MULTILINGUAL)
    assert section.candidates("es") == ("es",)
    assert section.candidates("es xx en es") == ("es", "en"), "what it does not know is left out of several"
    assert set(section.candidates("")) == {"en", "es", "jv", "haw"}
    assert read(ENGLISH, 51864).candidates("") == ("en",)


def test_an_unknown_language_is_refused_with_some_that_are_known() -> None:
    with pytest.raises(InvalidRequest, match=r"LANGUAGE 'tlh' is not served; there are: en es haw jv$"):
        read(MULTILINGUAL).candidates("tlh")
    with pytest.raises(InvalidRequest, match=r"LANGUAGE 'es fr' is not served; there are: en$"):
        read(ENGLISH, 51864).candidates("es fr")
    many = {f"{first}{second}": 50259 + 26 * a + b for a, first in enumerate("ab") for b, second in enumerate("cdefgh")}
    with pytest.raises(InvalidRequest, match=r"ac ad .* … \(13 in all\)"):
        read({**MULTILINGUAL, "languages": {**many, "zz": 51000}}).candidates("en")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sot": None}, "whisper.sot"),
        ({"sot": 51865}, "whisper.sot"),
        ({"sot": True}, "whisper.sot"),
        ({"n_mels": 0}, "whisper.n_mels"),
        ({"multilingual": "yes"}, "whisper.multilingual"),
        ({"languages": {}}, "whisper.languages is empty"),
        ({"languages": {"en": 1, "es": 1}}, "two languages one token"),
        ({"languages": {"en": -1}}, "whisper.languages.en"),
        ({"lang": {}}, r"unknown field\(s\) lang"),
    ],
)
def test_a_section_that_cannot_be_is_refused_by_the_name_of_its_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadFolder, match=says):
        read({**MULTILINGUAL, **change})


@pytest.mark.parametrize("name", sorted(set(MULTILINGUAL) - {"multilingual"}))
def test_every_field_is_required(name: str) -> None:
    with pytest.raises(BadFolder, match=f"whisper.{name}"):
        read({key: value for key, value in MULTILINGUAL.items() if key != name})
