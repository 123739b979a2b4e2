"""From a published folder, and from openai's file, to a version; and everything that is no way to one."""

import errno
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import WhisperConfig

from export.bundle.exporter import BundleRequest, export_bundle, synthesise
from export.checkpoint import sha256_of
from export.errors import (
    CheckpointRefused,
    ExportError,
    KeysMismatch,
    NotFinite,
    NotInstalled,
    UnknownName,
    VersionExists,
)
from export.onnx_file import read_metadata
from export.whisper.family import FAMILY, WhisperFamily

FILES = {"decoder.onnx", "encoder.onnx", "generation.json", "manifest.json", "reorder.onnx", "tokenizer.json"}


def content(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def exported(whisper_file, tmp_path_factory):
    """The English-only network of openai's file, in 8 bits: both gates, and the other reference."""
    repository = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhisperFamily, "sources", 3)
        return export_bundle(BundleRequest("whisper", whisper_file, "int8", repository, seed=6))


def test_a_version_holds_all_that_the_backend_needs_and_a_manifest_that_says_how_it_was_made(exported, whisper_file):
    folder = exported.folder
    assert (exported.model, exported.version, exported.has_config) == ("stt_whisper", 1, False)
    assert {path.name for path in folder.iterdir()} == FILES
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["checkpoint"] == {"file_name": "reduced.pt", "sha256": sha256_of(whisper_file)}
    assert (manifest["family"], manifest["model"], manifest["precision"]) == ("whisper", "stt_whisper", "int8")
    assert [record["precision"] for record in manifest["parity"]] == ["fp32", "int8"]
    assert all(record["reference"].startswith("openai-whisper") for record in manifest["parity"])
    assert manifest["formats"]["reorder"]["weights"] == "fp32"
    assert "int8" in manifest["formats"]["encoder"]["weights"]
    assert "int8" in manifest["formats"]["decoder"]["weights"]
    assert manifest["files"].keys() == FILES - {"manifest.json"}
    assert manifest["files"]["decoder.onnx"]["sha256"] == sha256_of(folder / "decoder.onnx")
    assert manifest["signature"]["encoder"]["inputs"] == [
        {"name": "mel", "data_type": "FP32", "dims": ["batch", 80, "frames"]}
    ]
    for role in ("encoder", "decoder", "reorder"):
        assert read_metadata(folder / f"{role}.onnx")["polylip.precision"] == "int8"
        assert read_metadata(folder / f"{role}.onnx")["polylip.checkpoint_sha256"] == sha256_of(whisper_file)


def test_texts_of_openais_file_are_those_of_openai_whisper_greedy_and_with_beams(exported):
    exact, reduced = exported.records
    seen = {measure.name: measure.value for measure in exact.measures}
    assert all(seen[f"{kind}_texts_differing"] == 0 for kind in ("greedy", "beam", "batch"))
    assert seen["logits_max_abs"] < 1e-4
    assert {measure.name for measure in reduced.measures} >= {"first_token_kl_mean", "greedy_agreement"}


def test_the_backend_reads_what_was_written(exported):
    from generate.folder import read_folder
    from generate.whisper.section import read_section
    from generate.whisper.text import Vocabulary

    folder = read_folder(exported.folder)
    section = read_section(folder.section, folder.settings.vocab_size)
    assert (section.multilingual, section.audio_positions, folder.settings.eos) == (False, 500, (50256,))
    assert Vocabulary(folder, section).text([15496, 995, 50256]) == "Hello world"


@pytest.fixture
def folder(whisper_folder, tmp_path):
    return Path(shutil.copytree(whisper_folder, tmp_path / "copy"))


def change_config(folder, name="config.json", **fields):
    content = json.loads((folder / name).read_text()) | fields
    (folder / name).write_text(json.dumps(content))


def change_state(folder, change):
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def spoil(**fields):
    return lambda folder: change_config(folder, **fields)


def lose(state):
    for number in range(2):
        for part in ("k_proj.weight", "v_proj.weight", "v_proj.bias"):
            del state[f"model.decoder.layers.{number}.encoder_attn.{part}"]


def untie(folder):
    change_state(folder, lambda state: state.update({"proj_out.weight": torch.zeros(51865, 64)}))


def english_vocabulary(folder):
    config = WhisperConfig(vocab_size=51864)
    assert config.vocab_size == 51864
    change_config(folder, "config.json", vocab_size=51864)
    embedding = "model.decoder.embed_tokens.weight"
    change_state(folder, lambda state: state.update({embedding: state[embedding][:-1].contiguous()}))


REFUSALS = {
    "wrong family": (spoil(model_type="marian"), CheckpointRefused, "family 'marian', not whisper"),
    "missing keys": (
        lambda folder: change_state(folder, lose), KeysMismatch,
        r"6 key\(s\) missing: (model\.decoder\.layers\.\d\.encoder_attn\.\w+\.\w+, ){5}\.\.\.$",
    ),
    "extra key": (
        lambda folder: change_state(folder, lambda state: state.update({"model.gate": torch.zeros(2)})),
        KeysMismatch, r"1 key\(s\) not of this family: model\.gate",
    ),
    "other sizes": (spoil(d_model=32), KeysMismatch, r"of other shapes: model\.encoder\.conv1\.weight \[64, 80, 3\]"),
    "odd heads": (spoil(encoder_attention_heads=3), CheckpointRefused, "3 heads do not divide"),
    "other activation": (spoil(activation_function="relu"), CheckpointRefused, "activation_function 'relu'"),
    "no size": (spoil(decoder_layers=None), CheckpointRefused, "no usable decoder_layers: None"),
    "logits of their own": (untie, KeysMismatch, "proj_out.weight is not"),
    "nan": (
        lambda folder: change_state(folder, lambda state: state["model.encoder.conv1.bias"].fill_(torch.nan)),
        NotFinite, "model.encoder.conv1.bias",
    ),
    "truncated": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000]),
        CheckpointRefused, "may be cut off",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), CheckpointRefused, "has no weights"),
    "no config": (lambda folder: (folder / "config.json").unlink(), CheckpointRefused, r"no file config\.json"),
    "no vocabulary": (
        lambda folder: [(folder / name).unlink() for name in ("tokenizer.json", "vocab.json")],
        CheckpointRefused, r"no file vocab\.json",
    ),
    "vocabulary of another network": (english_vocabulary, CheckpointRefused, "which has 51864"),
    "vocabulary of other ids": (
        lambda folder: change_config(folder, "generation_config.json", no_timestamps_token_id=50364),
        CheckpointRefused, "no_timestamps_token_id 50364 is 50363 there",
    ),
    "languages of other ids": (
        lambda folder: change_config(folder, "generation_config.json", lang_to_id={"<|de|>": 50259}),
        CheckpointRefused, "is not token 50259",
    ),
    "rules beyond the vocabulary": (
        lambda folder: change_config(folder, "generation_config.json", suppress_tokens=[51865]),
        CheckpointRefused, "suppress_tokens is no list of tokens",
    ),
    "no tokenizer in tokenizer.json": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        CheckpointRefused, r"tokenizer\.json cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_checkpoint_that_is_no_whisper_is_one_clear_error_and_leaves_the_repository_alone(name, folder, repository):
    spoil_it, error, said = REFUSALS[name]
    spoil_it(folder)
    with pytest.raises(error, match=said):
        export_bundle(BundleRequest("whisper", folder, "fp32", repository))
    assert content(repository) == set()


def test_an_openai_file_must_be_one(tmp_path, repository):
    path = tmp_path / "other.pt"
    for found, said in (
        ({"state_dict": {}}, "no checkpoint of openai-whisper"),
        ({"dims": {}, "model_state_dict": [1]}, "list"),
    ):
        torch.save(found, path)
        with pytest.raises(CheckpointRefused, match=said):
            export_bundle(BundleRequest("whisper", path, "fp32", repository))
    with pytest.raises(CheckpointRefused, match="there is no file"):
        export_bundle(BundleRequest("whisper", tmp_path / "none.pt", "fp32", repository))
    assert content(repository) == set()


def test_what_is_there_stays_and_what_was_asked_for_wrongly_is_named(whisper_folder, repository):
    (repository / "stt_whisper" / "4").mkdir(parents=True)
    before = content(repository)
    for changes, error in (
        ({"version": 4}, VersionExists), ({"precision": "int4"}, UnknownName), ({"family": "whisker"}, UnknownName),
    ):  # fmt: skip
        asked = {"family": "whisper", "checkpoint": whisper_folder, "precision": "fp32", "repository": repository}
        with pytest.raises(error):
            export_bundle(BundleRequest(**asked | changes))
    assert content(repository) == before


@pytest.mark.usefixtures("few_sources")
def test_a_full_disk_leaves_the_repository_as_it_was(whisper_folder, repository, monkeypatch):
    def full(self, *args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(NotInstalled, match=r"version 1 of stt_whisper cannot be written.*No space left"):
        export_bundle(BundleRequest("whisper", whisper_folder, "fp32", repository))
    monkeypatch.undo()
    assert content(repository) == set()


def test_an_interrupted_export_leaves_nothing(whisper_folder, repository):
    def interrupt(step):
        if step == "writing decoder":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_bundle(BundleRequest("whisper", whisper_folder, "fp32", repository), interrupt)
    assert content(repository) == set()


def test_random_weights_never_replace_anything_and_have_a_known_size(tmp_path):
    with pytest.raises(ExportError, match="exists already"):
        synthesise("whisper", tmp_path, 1, "tiny")
    with pytest.raises(ExportError, match="there are the sizes small, tiny"):
        synthesise("whisper", tmp_path / "new", 1, "huge")
    assert FAMILY.sizes[0] == "small"
    assert list(tmp_path.iterdir()) == []
