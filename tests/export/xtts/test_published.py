"""Reading a published folder: what is taken, what is refused, and that nothing in it is ever run."""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from export.bundle.published import CONFIG
from export.checkpoint import load_strict
from export.errors import CheckpointRefused, KeysMismatch, NotFinite
from export.xtts.constants import published_constants
from export.xtts.family import FAMILY
from export.xtts.network import Xtts
from export.xtts.published import WEIGHTS, published_settings, read_weights, read_xtts
from export.xtts.settings import XttsSettings
from export.xtts.synth_config import config_of
from export.xtts.synth_vocabulary import invented_vocabulary
from export.xtts.vocabulary import VOCABULARY

TOKENS = 512
TABLE = "gpt.text_embedding.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything but weights."""
    path = tmp_path / "xtts"
    path.mkdir()
    (path / CONFIG).write_text(json.dumps(config_of(2, 64, 2, TOKENS)))
    (path / VOCABULARY).write_text(invented_vocabulary(TOKENS).to_str())
    return path


def weights(**tensors: torch.Tensor) -> dict[str, torch.Tensor]:
    """So many that what is wrong with one is found before what is missing."""
    return {**published_constants(), TABLE: torch.ones(TOKENS, 2), "mel_stats": torch.ones(80), **tensors}


def test_a_synthesised_folder_is_read_and_every_key_is_the_networks(xtts_folder):
    published = read_xtts(xtts_folder)
    settings = published_settings(published)
    assert isinstance(load_strict(Xtts(settings), published.state), Xtts)
    assert len(published.sha256) == 64
    with pytest.raises(KeysMismatch, match="missing: mel_stats"):
        load_strict(Xtts(settings), {key: each for key, each in published.state.items() if key != "mel_stats"})
    with pytest.raises(KeysMismatch, match=r"not of this family: gpt\.other"):
        load_strict(Xtts(settings), {**published.state, "gpt.other": torch.ones(1)})


@pytest.mark.parametrize("name", [CONFIG, VOCABULARY, WEIGHTS])
def test_a_missing_file_is_named(folder, name):
    torch.save({"model": weights()}, folder / WEIGHTS)
    (folder / name).unlink()
    with pytest.raises(CheckpointRefused, match=f"has no file {name}"):
        read_xtts(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointRefused, match="there is no folder"):
        read_xtts(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"version": "1.0", "model": {}}'])
def test_a_vocabulary_that_is_none_is_refused(folder, content):
    torch.save({"model": weights()}, folder / WEIGHTS)
    (folder / VOCABULARY).write_bytes(content)
    with pytest.raises(CheckpointRefused, match="no vocabulary in tokenizers' format"):
        read_xtts(folder)


def test_a_vocabulary_of_another_size_than_the_text_embedding_is_refused(folder):
    torch.save({"model": weights(**{TABLE: torch.ones(TOKENS + 1, 2)})}, folder / WEIGHTS)
    with pytest.raises(CheckpointRefused, match=f"it has {TOKENS} tokens, the text embedding has {TOKENS + 1}"):
        read_xtts(folder)


def test_weights_of_version_one_are_refused(folder):
    torch.save({"model": weights(**{"gpt.prompt_embedding.weight": torch.ones(1)})}, folder / WEIGHTS)
    with pytest.raises(CheckpointRefused, match="XTTS-v1 weights"):
        read_xtts(folder)


def test_weights_that_are_not_finite_are_refused(folder):
    torch.save({"model": weights(**{"gpt.final_norm.bias": torch.tensor([1.0, float("nan")])})}, folder / WEIGHTS)
    with pytest.raises(NotFinite, match=r"gpt\.final_norm\.bias"):
        read_xtts(folder)


def test_mel_statistics_that_cannot_be_divided_by_are_refused(folder):
    torch.save({"model": weights(mel_stats=torch.zeros(80))}, folder / WEIGHTS)
    with pytest.raises(CheckpointRefused, match="mel_stats, which the mel is divided by, has a zero"):
        read_xtts(folder)


@pytest.mark.parametrize("content", [[1, 2], {"state": {}}, {"model": [1]}, {"model": {"gpt": "text"}}])
def test_a_file_of_something_else_is_refused(folder, content):
    torch.save(content, folder / WEIGHTS)
    with pytest.raises(CheckpointRefused):
        read_xtts(folder)


def test_a_file_that_is_cut_off_is_refused(folder):
    torch.save({"model": weights()}, folder / WEIGHTS)
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointRefused, match=r"model\.pth"):
        read_xtts(folder)


class Mischief:
    """Makes a folder when it is unpickled by a loader that does what it is told."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_pickle_that_would_run_code_is_refused_and_does_not(folder, tmp_path):
    torch.save({"model": weights(), "config": Mischief(tmp_path / "made")}, folder / WEIGHTS)
    with pytest.raises(CheckpointRefused, match="would run code"):
        read_xtts(folder)
    assert not (tmp_path / "made").exists()


def originals_object(monkeypatch, module: str, name: str) -> object:
    """Make an instance of a class that a pickle finds under that name."""
    kind = type(name, (), {"__module__": module})
    for part in (module.rsplit(".", end)[0] for end in range(module.count(".") + 1)):
        monkeypatch.setitem(sys.modules, part, sys.modules.get(part) or ModuleType(part))
    monkeypatch.setitem(sys.modules, module, ModuleType(module))
    monkeypatch.setattr(sys.modules[module], name, kind, raising=False)
    return kind()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("TTS.tts.configs.xtts_config", "XttsConfig"),
        ("TTS.tts.configs.xtts_config", "XttsArgs"),
        ("TTS.tts.models.xtts", "XttsArgs"),
        ("TTS.tts.configs.xtts_config", "XttsAudioConfig"),
        ("TTS.tts.models.xtts", "XttsAudioConfig"),
        ("TTS.config.shared_configs", "BaseDatasetConfig"),
    ],
)
def test_settings_that_are_objects_of_the_original_are_read_without_it(monkeypatch, folder, module, name):
    with monkeypatch.context() as patched:
        settings = originals_object(patched, module, name)
        settings.gpt_layers, settings.inner = 2, {"languages": ["en"], "path": None}
        torch.save({"model": weights(), "config": settings}, folder / WEIGHTS)
    assert TABLE in read_weights(folder / WEIGHTS)


def test_other_objects_of_the_original_are_refused(monkeypatch, folder):
    with monkeypatch.context() as patched:
        torch.save(
            {"model": weights(), "config": originals_object(patched, "TTS.tts.models.xtts", "Xtts")}, folder / WEIGHTS
        )
    with pytest.raises(CheckpointRefused, match="would run code"):
        read_weights(folder / WEIGHTS)


def test_stand_ins_are_taken_back(folder):
    read_before = set(torch.serialization.get_safe_globals())
    torch.save({"model": weights()}, folder / WEIGHTS)
    read_weights(folder / WEIGHTS)
    assert set(torch.serialization.get_safe_globals()) == read_before


def test_the_family_says_where_versions_go(xtts_settings: XttsSettings, folder):
    torch.save({"model": weights()}, folder / WEIGHTS)
    published = FAMILY.read(folder)
    assert FAMILY.triton_model(published) == "tts_xtts"
    with pytest.raises(KeysMismatch, match="missing"):
        FAMILY.load(published)
