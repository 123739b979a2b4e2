"""A published folder becomes a served model with a config of its own, or nothing at all."""

import json

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from typer.testing import CliRunner

from client.config_file import read_config_file
from client.connection import model_config_of
from client.contracts import LanguagePair
from export.bundle.exporter import BundleRequest, export_bundle
from export.errors import CheckpointRefused, ExportError
from export.marian.family import FAMILY
from orchestrator.cli.main import app


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def pairs_of(config):
    parsed = text_format.Parse(config.read_text("utf-8"), model_config_pb2.ModelConfig())
    return model_config_of(parsed).language_pairs()


def test_a_stated_pair_becomes_a_model_with_its_config_in_8_bits(multilingual, repository):
    request = BundleRequest("marian", multilingual, "int8", repository, seed=4, pairs=("en-ca",))
    made = export_bundle(request)
    assert (made.model, made.version, made.has_config) == ("opus_mt_en_ca", 1, True)
    assert [record.precision for record in made.records] == ["fp32", "int8"]
    config = repository / "opus_mt_en_ca" / "config.pbtxt"
    assert pairs_of(config) == (LanguagePair("en", "ca"),)
    assert [each.name for each in read_config_file(config).outputs] == ["TEXT", "LOST_NUMBERS"]
    generation = json.loads((made.folder / "generation.json").read_text("utf-8"))
    assert generation["marian"]["targets"] == {"ca": ">>cat<<"}
    manifest = json.loads((made.folder / "manifest.json").read_text("utf-8"))
    assert (manifest["family"], manifest["model"], manifest["precision"]) == ("marian", "opus_mt_en_ca", "int8")


def test_a_folder_that_does_not_fit_together_leaves_no_model_behind(edited, repository):
    folder = edited(vocab={"new": 1500})
    with pytest.raises(CheckpointRefused, match="does not match the weights"):
        export_bundle(BundleRequest("marian", folder, "fp32", repository))
    assert list(repository.iterdir()) == []


def test_a_config_is_written_out_with_every_pair(multilingual):
    text = FAMILY.config(FAMILY.read(multilingual))
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert parsed.name == "opus_mt_en_roa"
    assert parsed.instance_group
    assert parsed.parameters["language_pairs"].string_value.split() == ["en-ca", "en-fr", "en-pt", "en-es"]
    assert "@" not in text


def test_only_a_family_with_languages_takes_a_pair(tmp_path):
    from export.whisper.family import FAMILY as WHISPER

    with pytest.raises(ExportError, match="whisper takes no language pair"):
        WHISPER.stated(None, ["en-es"])
    done = CliRunner().invoke(app, ["models", "export", "wav2lip", "--checkpoint", "w.pth", "--pair", "en-es"])
    assert done.exit_code != 0
    assert "wav2lip takes no --pair" in done.output
