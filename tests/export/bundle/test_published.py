"""Folders as they are published: whole, in shards, of either format; and as they arrive when something went wrong."""

import json

import pytest
import torch
from safetensors.torch import save_file

from export.bundle.published import read_folder
from export.checkpoint import sha256_of
from export.errors import CheckpointRefused, NotFinite

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.ones(3)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "toy", "size": 3}))
    return tmp_path


def read(folder):
    return read_folder(folder, ("toy",))


def shards(folder, suffix):
    save = save_file if suffix == "safetensors" else torch.save
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    places = {}
    for number, (key, tensor) in enumerate(STATE.items(), 1):
        places[key] = f"{stem}-0000{number}-of-00002.{suffix}"
        save({key: tensor}, folder / places[key])
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def whole(folder, suffix):
    if suffix == "safetensors":
        save_file(STATE, folder / "model.safetensors")
    else:
        torch.save(STATE, folder / "pytorch_model.bin")


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize("write", [whole, shards])
def test_weights_are_read_whole_and_in_shards_of_either_format(folder, write, suffix):
    write(folder, suffix)
    found = read(folder)
    assert found.settings["size"] == 3
    assert found.state.keys() == STATE.keys()
    assert all(torch.equal(found.state[key], tensor) for key, tensor in STATE.items())
    assert found.name == folder.name
    assert found.file("config.json") == folder / "config.json"
    assert found.file("vocab.json") is None


def test_the_hash_is_the_files_and_of_shards_one_of_all(folder):
    whole(folder, "safetensors")
    assert read(folder).sha256 == sha256_of(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    shards(folder, "safetensors")
    before = read(folder).sha256
    save_file({"b.bias": torch.zeros(3)}, folder / "model-00002-of-00002.safetensors")
    assert read(folder).sha256 != before


def spoil_config(text):
    return lambda folder: (folder / "config.json").write_text(text)


REFUSALS = {
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "has no weights: none of model.safetensors"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "no file config.json"),
    "no json": (spoil_config("{"), "config.json cannot be read"),
    "no object": (spoil_config("[]"), "holds list, not an object"),
    "other family": (spoil_config('{"model_type": "bert"}'), "of the family 'bert', not toy"),
    "cut off": (lambda folder: (folder / "model.safetensors").write_bytes(b"12345678"), "may be cut off"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_folder_that_is_no_checkpoint_is_one_clear_error(folder, name):
    spoil, said = REFUSALS[name]
    whole(folder, "safetensors")
    spoil(folder)
    with pytest.raises(CheckpointRefused, match=said):
        read(folder)


def test_shards_are_files_of_the_folder_that_are_there(folder):
    shards(folder, "safetensors")
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointRefused, match="there is no file"):
        read(folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../a.safetensors"}}))
    with pytest.raises(CheckpointRefused, match="names a file outside the folder"):
        read(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(CheckpointRefused, match="has no weight_map"):
        read(folder)


def test_weights_that_are_no_numbers_are_refused(folder):
    save_file({**STATE, "b.bias": torch.full([3], torch.inf)}, folder / "model.safetensors")
    with pytest.raises(NotFinite, match=r"b\.bias"):
        read(folder)
    with pytest.raises(CheckpointRefused, match="there is no folder"):
        read(folder / "none")
