"""Every model has a licence, and the version's own word goes before what is known of its name."""

import json
from pathlib import Path

import pytest

from client.licences import licence_by_identifier, licence_of
from client.licences.served import MODELS, known_of

MODEL_REPOSITORY = Path(__file__).parents[3] / "model_repository"


def test_every_model_of_the_repository_has_a_stated_licence_and_a_source():
    models = [path.parent.name for path in MODEL_REPOSITORY.glob("*/config.pbtxt")]
    assert len(models) > 10
    nameless = [model for model in models if licence_of(model).licence.commercial_use is None]
    assert nameless == []
    assert [model for model in models if not licence_of(model).source] == []


def test_every_identifier_in_the_list_is_a_licence_that_is_known():
    assert [known for known in MODELS.values() if licence_by_identifier(known.licence).commercial_use is None] == []


@pytest.mark.parametrize(
    ("model", "commercial"),
    [
        ("lips_wav2lip", False),
        ("tts_xtts", False),
        ("stt_whisper", True),
        ("opus_mt_en_es", True),
        ("tts_espeak", True),
    ],
)
def test_it_is_said_whether_a_model_may_be_used_commercially(model, commercial):
    assert licence_of(model).licence.commercial_use is commercial


def test_a_model_that_nobody_knows_has_no_licence():
    assert known_of("somebody_elses") is None
    assert licence_of("somebody_elses").licence.identifier == "not-stated"


def version(folder: Path, model: str, **files: object) -> Path:
    version = folder / model / "3"
    version.mkdir(parents=True)
    for name, content in files.items():
        (version / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_what_a_version_was_pulled_from_decides(tmp_path):
    pulled = {"source": "Helsinki-NLP/opus-mt-en-es@main", "licence": {"identifier": "Apache-2.0"}}
    found = licence_of("opus_mt_en_es", "3", version(tmp_path, "opus_mt_en_es", pulled=pulled))
    assert (found.licence.identifier, found.source) == ("Apache-2.0", "Helsinki-NLP/opus-mt-en-es@main")
    assert licence_of("opus_mt_en_es", "4", tmp_path).licence.identifier == "CC-BY-4.0"


def test_an_exported_version_of_an_unknown_model_shows_what_its_manifest_says(tmp_path):
    manifest = {"licence": "Do as you like.", "source": "made up"}
    found = licence_of("mine", "3", version(tmp_path, "mine", manifest=manifest))
    assert (found.licence.name, found.licence.commercial_use, found.source) == ("Do as you like.", None, "made up")


@pytest.mark.parametrize("content", ["", "[]", '{"licence": 3}', '{"licence": {"identifier": 3}}', "\xff"])
def test_files_that_say_nothing_leave_the_word_to_the_name(tmp_path, content):
    version(tmp_path, "stt_whisper")
    for name in ("pulled", "manifest"):
        (tmp_path / "stt_whisper" / "3" / f"{name}.json").write_text(content, encoding="latin-1")
    assert licence_of("stt_whisper", "3", tmp_path).licence.identifier == "MIT"
