"""Whisper-small and Opus-MT at full size with random weights: served versions, and what the peers make of the same."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctranslate2.converters import TransformersConverter

from deploy.triton.embedded import CHECKOUT
from export.bundle import onnx_files
from export.bundle.family import BundleFamily, bundle
from export.precision.graphs import write_graph
from export.seq2seq.reorder import write_reorder

STT, STT_SHORT, MT, MT_ROUTER = "stt_whisper", "stt_whisper_short", "opus_mt_en_es", "mt_opus"
STT_TOKENS, STT_SHORT_TOKENS = 40, 8
"""New tokens of a recording: about what 10 s of speech have, and few, to tell the encoder's time from the tokens'."""
MT_TOKENS, MT_SHORT_TOKENS = 30, 6
"""The same for a sentence of some 25 tokens."""
_NO_SECOND_TRY = {"temperatures": "0", "voice_gate": "false"}
"""Random weights talk nonsense about noise: it shall neither be tried again nor dropped."""


@dataclass(frozen=True)
class Models:
    """Where everything lies."""

    repository: Path
    whisper: Path
    """The published folder, and the peer's model of it."""
    whisper_peer: Path
    opus: Path
    opus_peer: Path


def make_models(folder: Path) -> Models:
    """Draw weights, trace and quantise, convert for the peers. The gate is left to `polylip models export`."""
    models = Models(
        repository=folder / "models",
        whisper=folder / "whisper-small",
        whisper_peer=folder / "faster-whisper-small",
        opus=folder / "opus-mt-en-es",
        opus_peer=folder / "ctranslate2-en-es",
    )
    make_version(bundle("whisper"), "small", models.whisper, models.repository / STT / "1")
    make_version(bundle("marian"), "full", models.opus, models.repository / MT / "1")
    _configure(models)
    _convert(models.whisper, models.whisper_peer, ["tokenizer.json", "preprocessor_config.json"])
    _convert(models.opus, models.opus_peer, [])
    return models


def make_version(family: BundleFamily, size: str, checkpoint: Path, version: Path) -> None:
    """Draw weights into `checkpoint`, and make the folder `version` of them in int8."""
    family.synth(checkpoint, 0, size)
    published = family.read(checkpoint)
    version.mkdir(parents=True)
    family.write_files(published, version)
    exact = version.parent / "fp32"
    exact.mkdir()
    for graph in family.graphs(family.load(published)):
        onnx_files.write(graph, graph.path(exact))
        write_graph(graph.path(exact), graph.path(version), graph.role, "int8")
        if graph.role == "decoder" and family.cache_grows:
            write_reorder(graph.inputs, version / "reorder.onnx")
    shutil.rmtree(exact)
    config = family.config(published)
    if config is not None:
        (version.parent / "config.pbtxt").write_text(config)


def _configure(models: Models) -> None:
    """Fix the numbers of tokens; add a second stt_whisper with few of them, and the router."""
    config = (CHECKOUT / "model_repository" / STT / "config.pbtxt").read_text()
    config, _, _ = config.partition("# 1.8 s of speech")  # the self-test of the load expects nothing of random weights
    for key, value in _NO_SECOND_TRY.items():
        config, found = re.subn(rf'(key: "{key}" value: {{ string_value: )"[^"]*"', rf'\g<1>"{value}"', config)
        assert found == 1, key
    for name, tokens in ((STT, STT_TOKENS), (STT_SHORT, STT_SHORT_TOKENS)):
        model = models.repository / name
        if name != STT:
            shutil.copytree(models.repository / STT, model)
        (model / "config.pbtxt").write_text(config.replace(f'name: "{STT}"', f'name: "{name}"'))
        _set_defaults(model / "1", {"min_new_tokens": tokens, "max_new_tokens": tokens, "beams": 1})
    _set_defaults(models.repository / MT / "1", {"min_new_tokens": MT_TOKENS, "max_new_tokens": MT_TOKENS, "beams": 1})
    shutil.copytree(CHECKOUT / "model_repository" / MT_ROUTER, models.repository / MT_ROUTER)


def _set_defaults(version: Path, defaults: Mapping[str, int]) -> None:
    path = version / "generation.json"
    settings = json.loads(path.read_text())
    settings["defaults"] |= defaults
    path.write_text(json.dumps(settings))


def _convert(checkpoint: Path, target: Path, copied: list[str]) -> None:
    TransformersConverter(str(checkpoint), copy_files=copied).convert(str(target), quantization="int8")
