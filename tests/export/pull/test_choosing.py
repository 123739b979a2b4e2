"""Which files are fetched."""

import json

import pytest

from export.pull.catalogue import FOLDER, Wanted
from export.pull.choosing import choose
from export.pull.errors import SourceBroken, SourceMissing, SourceRefused
from export.pull.files import RemoteFile


def chosen(paths, wanted=FOLDER, index=b""):
    listing = {path: RemoteFile(path, f"https://hub.test/{path}", number) for number, path in enumerate(paths)}
    return [file.path for file in choose(listing, wanted, "someone/model", lambda file: index)]


def test_safetensors_are_taken_and_the_pickle_beside_them_is_left():
    paths = ["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "README.md", "tokenizer.json"]
    assert chosen(paths) == ["config.json", "model.safetensors", "tokenizer.json"]


def test_a_pickle_is_taken_where_there_is_nothing_else():
    assert chosen(["config.json", "pytorch_model.bin"]) == ["config.json", "pytorch_model.bin"]


def test_shards_are_those_that_the_index_names():
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = json.dumps({"weight_map": {"a": shards[1], "b": shards[0], "c": shards[0]}}).encode()
    paths = ["config.json", "model.safetensors.index.json", *shards, "model.fp32-00001-of-00002.safetensors"]
    assert chosen(paths, index=index) == paths[:-1]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"weight_map": {}}', b'{"weight_map": {"a": 1}}', b'{"weight_map": {"a": "b/c"}}']
)
def test_an_index_that_names_no_shards_is_refused(content):
    with pytest.raises(SourceBroken):
        chosen(["config.json", "model.safetensors.index.json", "b/c"], index=content)


def test_an_index_that_names_a_file_elsewhere_is_refused():
    with pytest.raises(SourceRefused, match="no name"):
        chosen(["config.json", "model.safetensors.index.json"], index=b'{"weight_map": {"a": "../../x"}}')


def test_an_index_that_names_a_file_that_is_not_there_is_told():
    with pytest.raises(SourceMissing, match=r"no x\.safetensors"):
        chosen(["config.json", "model.safetensors.index.json"], index=b'{"weight_map": {"a": "x.safetensors"}}')


def test_a_file_that_is_missing_is_named_with_those_there_are():
    with pytest.raises(SourceMissing, match=r"has no config\.json; there is README\.md"):
        chosen(["README.md"])


def test_a_repository_without_weights_is_told():
    with pytest.raises(SourceMissing, match="has no weights"):
        chosen(["config.json", "flax_model.msgpack"])


@pytest.mark.parametrize(
    ("pickle", "safe"),
    [("pytorch_model.bin", "model.safetensors"), ("v1/w.pth", "v1/w.safetensors"),
     ("pytorch_model.bin", "model-00001-of-00002.safetensors")],
)  # fmt: skip
def test_a_pickle_asked_for_by_name_is_refused_where_the_same_weights_are_safe(pickle, safe):
    with pytest.raises(SourceRefused, match=f"{safe} has the same weights"):
        chosen([pickle, safe], Wanted(needed=(pickle,)))


def test_a_pickle_asked_for_by_name_is_taken_where_the_safe_files_are_others():
    assert chosen(["a/w.pth", "w.safetensors", "a/v.safetensors"], Wanted(needed=("a/w.pth",))) == ["a/w.pth"]
