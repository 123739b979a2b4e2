"""An XTTS version whose networks are toys: a real loop over a tiny decoder, functions for the other graphs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generate.folder import VersionFolder, read_folder
from tokenizers import Tokenizer
from tokenizers.models import BPE

from tests.fakes.toy_decoder import Toy

SECTION: Mapping[str, Any] = {
    **{"start_audio": 2, "text_start": 3, "text_stop": 0, "max_text_tokens": 40, "languages": ["en", "es", "zh-cn"]},
    **{"latents": 4, "code_stride": 1024, "hop": 256, "input_sample_rate_hz": 22_050, "sample_rate_hz": 24_000},
    **{"embedding": 3, "conditioning": {"length_s": 6, "chunk_s": 2, "max_reference_s": 4}},
}
VOCABULARY = (
    "[STOP]",
    "[UNK]",
    "[SPACE]",
    "[START]",
    "[en]",
    "[es]",
    "[zh-cn]",
    *"abcdefghijklmnopqrstuvwxyz.,!?'12345",
)
DECODER = Toy(
    source=None,
    embeds=True,
    hidden=True,
    slots=True,
    head_dim=8,
    positions=512,
    seed=5,
    extra={"family": "xtts", "defaults": {"max_new_tokens": 400}, "xtts": dict(SECTION)},
)
"""Random, so it hardly ever ends by itself."""


@dataclass
class ToyGraphs:
    """The feed-forward graphs; remembers what they were given."""

    width: int = DECODER.width
    heard: dict[str, list[Any]] = field(default_factory=dict)

    def open(self, path: Path, accelerated: bool) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
        assert accelerated == (path.stem == "vocoder")
        return lambda inputs: [self._run(path.stem, inputs)]

    def _run(self, name: str, inputs: Mapping[str, Any]) -> Any:
        self.heard.setdefault(name, []).append(inputs)
        if name == "text":
            waves = inputs["input_ids"][:, :, None] * np.arange(1, self.width + 1)
            return np.cos(waves).astype(np.float32)
        if name == "conditioning":
            return np.full((1, SECTION["latents"], self.width), inputs["mel"].mean() / 10, np.float32)
        if name == "speaker":
            return np.full((1, SECTION["embedding"]), np.log(inputs["mel"].mean() + 1e-6) / 10, np.float32)
        line = np.repeat(np.tanh(inputs["features"][0].mean(axis=0)), SECTION["hop"])[None]
        return (line + inputs["embedding"].mean() / 100).astype(np.float32)


@pytest.fixture
def graphs() -> ToyGraphs:
    return ToyGraphs()


@pytest.fixture
def version(tmp_path: Path, graphs: ToyGraphs) -> VersionFolder:
    """A version without built-in voices."""
    folder = DECODER.save(tmp_path / "1")
    tokenizer = Tokenizer(BPE({token: number for number, token in enumerate(VOCABULARY)}, [], unk_token="[UNK]"))
    tokenizer.add_special_tokens([token for token in VOCABULARY if len(token) > 1])
    tokenizer.save(str(folder / "vocab.json"))
    for name in ("text", "conditioning", "speaker", "vocoder"):
        (folder / f"{name}.onnx").write_bytes(b"")
    return read_folder(folder, graphs.open)


def reference(length_s: float = 3.0, level: float = 0.3) -> np.ndarray:
    """A sound that stands for somebody's voice."""
    times = np.arange(int(length_s * 22_050)) / 22_050
    return (level * np.sin(2 * np.pi * 220 * times) * np.sin(2 * np.pi * 3 * times)).astype(np.float32)
