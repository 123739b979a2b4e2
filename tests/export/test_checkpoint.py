import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from export.checkpoint import load_strict, read_checkpoint
from export.errors import CheckpointRefused, KeysMismatch, NotFinite

STATE = {"first.weight": torch.arange(6.0).reshape(2, 3), "first.bias": torch.tensor([1.0, 2.0])}
PREFIXED = {f"module.{key}": tensor for key, tensor in STATE.items()}


class RunsCode:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def same(state) -> bool:
    return state.keys() == STATE.keys() and all(torch.equal(state[key], STATE[key]) for key in STATE)


@pytest.mark.parametrize(
    "content",
    [STATE, PREFIXED, {"state_dict": PREFIXED, "optimizer": None, "global_step": 3}],
    ids=["bare", "module", "nested"],
)
def test_every_published_way_of_wrapping_gives_the_same_tensors(tmp_path, content):
    path = saved(tmp_path / "weights.pth", content)
    checkpoint = read_checkpoint(path)
    assert same(checkpoint.state)
    assert checkpoint.file_name == "weights.pth"
    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_safetensors_are_read_too(tmp_path):
    save_file(PREFIXED, tmp_path / "weights.safetensors")
    assert same(read_checkpoint(tmp_path / "weights.safetensors").state)


def test_the_old_format_of_torch_is_read_too(tmp_path):
    torch.save(STATE, tmp_path / "weights.pth", _use_new_zipfile_serialization=False)
    assert same(read_checkpoint(tmp_path / "weights.pth").state)


def test_a_prefix_of_some_keys_only_is_part_of_their_names(tmp_path):
    path = saved(tmp_path / "weights.pth", STATE | PREFIXED)
    assert read_checkpoint(path).state.keys() == STATE.keys() | PREFIXED.keys()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointRefused, match=r"there is no file .*nowhere\.pth"):
        read_checkpoint(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("new", [True, False])
def test_a_truncated_file_is_refused(tmp_path, share, new):
    torch.save(PREFIXED, tmp_path / "whole.pth", _use_new_zipfile_serialization=new)
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointRefused, match=r"cut\.pth"):
        read_checkpoint(tmp_path / "cut.pth")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_safetensors_are_refused(tmp_path, share):
    save_file(STATE, tmp_path / "whole.safetensors")
    whole = (tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointRefused, match=r"cut\.safetensors cannot be read"):
        read_checkpoint(tmp_path / "cut.safetensors")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([1, 2], "holds list"),
        ({}, "holds dict"),
        ({"epoch": 3}, "'epoch' is int"),
        ({"state_dict": {"weight": "heavy"}}, "'weight' is str"),
        ({1: torch.zeros(1)}, "1 is Tensor"),
        (torch.zeros(3), "holds Tensor"),
    ],
)
def test_a_pickle_that_is_no_state_dict_is_refused(tmp_path, content, named):
    with pytest.raises(CheckpointRefused, match=named):
        read_checkpoint(saved(tmp_path / "other.pth", content))


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "page.pth").write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(CheckpointRefused, match=r"page\.pth is no file of plain tensors"):
        read_checkpoint(tmp_path / "page.pth")


@pytest.mark.parametrize("save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, save):
    target = tmp_path / "it ran"
    save({"state_dict": RunsCode(target)}, tmp_path / "hostile.pth")
    with pytest.raises(CheckpointRefused, match="would run code"):
        read_checkpoint(tmp_path / "hostile.pth")
    assert not target.exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path, value, dtype):
    bad = STATE | {"first.bias": torch.tensor([1.0, value], dtype=dtype)}
    with pytest.raises(NotFinite, match=r"1 tensor\(s\): first\.bias"):
        read_checkpoint(saved(tmp_path / "bad.pth", bad))


class Network(nn.Module):
    def __init__(self, layers: int = 1) -> None:
        super().__init__()
        self.first = nn.Linear(3, 2)
        self.rest = nn.ModuleList(nn.Linear(1, 1) for _ in range(layers - 1))


def test_matching_tensors_are_loaded_and_the_network_is_in_eval():
    network = load_strict(Network(), STATE)
    assert same(network.state_dict())
    assert not network.training


def test_missing_and_extra_keys_are_counted_and_the_first_five_named():
    with pytest.raises(KeysMismatch) as refusal:
        load_strict(Network(layers=5), {"first.weight": STATE["first.weight"], "a": torch.zeros(1)})
    text = str(refusal.value)
    assert "9 key(s) missing: first.bias, rest.0.weight, rest.0.bias, rest.1.weight, rest.1.bias, ..." in text
    assert "1 key(s) not of this family: a" in text
    assert "rest.2" not in text


def test_tensors_of_other_shapes_are_named_with_both():
    with pytest.raises(KeysMismatch, match=r"1 key\(s\) of other shapes: first\.weight \[3, 3\] instead of \[2, 3\]"):
        load_strict(Network(), STATE | {"first.weight": torch.zeros(3, 3)})
