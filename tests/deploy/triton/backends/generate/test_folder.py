import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_kit.ort_options import BadConfig, read_options
from generate.feed_forward import opener
from generate.fields import BadFolder, Fields
from generate.folder import read_folder
from generate.frontend import open_front_end
from generate.graphs import open_graphs
from generate.limits import Limits, read_limits

from tests.fakes.toy_decoder import Toy, encoder

FULL = {
    "family": "tokens",
    "layers": 2,
    "heads": 2,
    "head_dim": 4,
    "vocab_size": 24,
    "max_positions": 64,
    "start": 2,
    "eos": [1, 3],
    "pad": 0,
    "defaults": {"max_new_tokens": 9, "beams": 4, "length_penalty": 0.6, "early_stopping": None, "top_k": 5},
    "suppress": [4],
    "begin_suppress": [5],
    "forced": {"0": 6},
    "forced_eos": True,
    "tokens": {"anything": "raw"},
}


def write(folder: Path, changes: dict[str, Any], without: str = "") -> Path:
    settings = {name: value for name, value in {**FULL, **changes}.items() if name != without}
    (folder / "generation.json").write_text(json.dumps(settings))
    return folder


def test_everything_that_is_written_is_read(tmp_path: Path) -> None:
    settings = read_folder(write(tmp_path, {})).settings
    assert (settings.family, settings.layers, settings.heads, settings.head_dim) == ("tokens", 2, 2, 4)
    assert (settings.vocab_size, settings.max_positions, settings.start, settings.eos) == (24, 64, 2, (1, 3))
    defaults = settings.defaults
    assert (defaults.max_new_tokens, defaults.beams, defaults.length_penalty) == (9, 4, 0.6)
    assert defaults.early_stopping is None
    assert (defaults.suppress, defaults.begin_suppress, defaults.forced, defaults.top_k) == ((4,), (5,), {0: 6}, 5)
    assert defaults.forced_eos
    assert settings.section == {"anything": "raw"}


def test_what_may_be_left_out_has_plain_defaults(tmp_path: Path) -> None:
    write(tmp_path, {})
    bare = {name: FULL[name] for name in list(FULL)[:6]} | {"eos": 7}
    (tmp_path / "generation.json").write_text(json.dumps(bare))
    settings = read_folder(tmp_path).settings
    assert (settings.start, settings.eos, settings.pad, settings.section) == (None, (7,), 7, {})
    assert (settings.defaults.max_new_tokens, settings.defaults.beams) == (64, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "generation.json: layers must be a whole number from 1, it is 0"),
        ({"heads": "two"}, "heads must be a whole number"),
        ({"heads": True}, "heads must be a whole number"),
        ({"eos": [1, 24]}, "eos must be a list of whole numbers from 0 to 23"),
        ({"suppress": "none"}, "suppress must be a list"),
        ({"forced": {"first": 3}}, "forced must be an object"),
        ({"forced": {"0": 99}}, "forced must be an object"),
        ({"defaults": {"beam": 4}}, "defaults: unknown field(s) beam"),
        ({"defaults": {"top_p": 1.5}}, "defaults.top_p must be a number from 0 to 1, it is 1.5"),
        ({"defaults": {"early_stopping": "never"}}, "defaults.early_stopping must be true, false or null"),
        ({"supress": [1]}, "unknown field(s) supress"),
        ({"family": ""}, "family must be a text"),
        ({"tokens": [1]}, "tokens must be an object"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_should_be(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFolder) as refused:
        read_folder(write(tmp_path, changes))
    assert message in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("name", ["family", "layers", "vocab_size", "max_positions", "eos"])
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadFolder, match=f"{name} is missing"):
        read_folder(write(tmp_path, {}, without=name))


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"generation.json is missing"):
        read_folder(tmp_path)
    (tmp_path / "generation.json").write_text("{")
    with pytest.raises(BadFolder, match="not JSON"):
        read_folder(tmp_path)
    folder = read_folder(write(tmp_path, {}))
    with pytest.raises(BadFolder, match=r"vocab.json is missing"):
        folder.file("vocab.json")
    assert folder.optional_file("vocab.json") is None


def test_an_unknown_family_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="'gpt' is none of: whisper marian xtts tokens"):
        open_front_end(read_folder(write(tmp_path, {"family": "gpt"}, without="tokens")), {})


def test_a_familys_own_fields_are_read_with_their_path_in_errors(tmp_path: Path) -> None:
    section = Fields(tmp_path, {"inner": {"rate_hz": -1.0}}, "whisper")
    with pytest.raises(BadFolder, match=r"whisper.inner.rate_hz must be a number from 0, it is -1.0"):
        section.inner("inner").number("rate_hz", 0)
    assert section.inner("inner").text("name", default="x") == "x"
    with pytest.raises(BadFolder, match=r"whisper.on is missing"):
        section.switch("on")


@pytest.mark.parametrize(
    ("toy", "settings", "message"),
    [
        (Toy(), {"heads": 1}, "past_key_0 is ['rows', 2, 'past', 4], generation.json says ['any', 1, 'any', 4]"),
        (Toy(), {"layers": 3}, "decoder.onnx has no past_key_2"),
        (Toy(), {"vocab_size": 25}, "decoder.onnx: logits is"),
        (Toy(layers=3), {"layers": 2}, "decoder.onnx wants cross_key_2"),
    ],
)
def test_graphs_that_do_not_fit_the_settings_fail_the_load(
    tmp_path: Path, toy: Toy, settings: dict[str, Any], message: str
) -> None:
    folder = toy.save(tmp_path)
    (folder / "generation.json").write_text(json.dumps({**toy.settings(), **settings}))
    with pytest.raises(BadFolder) as refused:
        open_graphs(read_folder(folder), read_options({}), lambda text: None)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["decoder.onnx", "reorder.onnx", "embed.onnx"])
def test_a_missing_graph_fails_the_load(tmp_path: Path, name: str) -> None:
    folder = Toy(source=None, embeds=True).save(tmp_path)
    (folder / name).unlink()
    with pytest.raises(BadFolder, match=name):
        open_graphs(read_folder(folder), read_options({}), lambda text: None)


def test_limits_come_from_the_config_and_wrong_ones_are_named() -> None:
    assert read_limits({}) == Limits(decode_batch=8, encode_batch=8, joining=True)
    assert read_limits({"decode_batch": "3", "encode_batch": "1", "joining": "false"}) == Limits(3, 1, False)
    for parameters in ({"decode_batch": "0"}, {"encode_batch": "-1"}, {"joining": "yes"}):
        with pytest.raises(BadConfig, match=next(iter(parameters))):
            read_limits(parameters)


def test_a_decoder_with_slots_goes_without_an_encoder(tmp_path: Path) -> None:
    folder = Toy(source=None, embeds=True, slots=True, head_dim=8).save(tmp_path)
    encoder(Toy(head_dim=8), folder / "encoder.onnx")
    with pytest.raises(BadFolder, match=r"decoder\.onnx"):
        open_graphs(read_folder(folder), read_options({}), lambda text: None)


def test_a_family_opens_graphs_of_its_own_with_the_configs_options(tmp_path: Path) -> None:
    toy = Toy(source=None, embeds=True)
    folder = read_folder(toy.save(tmp_path), opener(read_options({}), lambda text: None))
    ids = np.array([[3, 4]], np.int64)
    [embeds] = folder.graph("embed.onnx")({"input_ids": ids, "position_ids": np.array([[0, 1]], np.int64)})
    np.testing.assert_allclose(embeds[0], toy.embedded([3, 4]), rtol=1e-6)
    with pytest.raises(BadFolder, match=r"vocoder\.onnx is missing"):
        folder.graph("vocoder.onnx")
