"""A Whisper version without a network: a small vocabulary, and an engine that answers generations as it is told.

The vocabulary has the 256 bytes as tokens 0..255; special tokens follow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from generate.folder import VersionFolder, read_folder
from generate.frontend import Job, Outputs
from generate.generation import Finish, GenerationRequest, GenerationResult, Hypothesis
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|es|>", "<|fr|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>"),
)
IDS = {name: 256 + index for index, name in enumerate(SPECIAL)}
END, SOT, NO_SPEECH = IDS["<|endoftext|>"], IDS["<|startoftranscript|>"], IDS["<|nospeech|>"]
VOCAB_SIZE = 256 + len(SPECIAL)
LANGUAGES = {code: IDS[f"<|{code}|>"] for code in ("en", "es", "fr")}


def tokenizer() -> Tokenizer:
    """A byte-level vocabulary in which byte b is token b."""
    symbols = _byte_symbols()
    made = Tokenizer(models.BPE(vocab={symbol: byte for byte, symbol in enumerate(symbols)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(SPECIAL))
    return made


def write_version(folder: Path, *, multilingual: bool = True, audio_positions: int = 150, **common: object) -> Path:
    """Write generation.json and tokenizer.json; a window is 3 s unless said otherwise."""
    section: dict[str, object] = {
        "multilingual": multilingual,
        "n_mels": 80,
        "audio_positions": audio_positions,
        "sot": SOT,
        "no_timestamps": IDS["<|notimestamps|>"],
        "no_speech": NO_SPEECH,
    }
    if multilingual:
        section |= {"transcribe": IDS["<|transcribe|>"], "languages": LANGUAGES}
    settings = {
        **{"family": "whisper", "layers": 1, "heads": 1, "head_dim": 8, "vocab_size": VOCAB_SIZE},
        **{"max_positions": 448, "eos": END, "defaults": {"max_new_tokens": 300}, "suppress": [SOT]},
        **{"whisper": section},
        **common,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "generation.json").write_text(json.dumps(settings))
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def version(folder: Path, **settings: object) -> VersionFolder:
    return read_folder(write_version(folder, **settings))  # type: ignore[arg-type]


def logits_with(probabilities: dict[int, float]) -> np.ndarray:
    """Logits whose softmax gives these tokens these probabilities; the rest goes to all others evenly."""
    rest = (1.0 - sum(probabilities.values())) / (VOCAB_SIZE - len(probabilities))
    shares = np.full(VOCAB_SIZE, rest)
    for token, share in probabilities.items():
        shares[token] = share
    return np.log(np.maximum(shares, 1e-30)).astype(np.float32)


def said(text: str, logprob: float = -0.1, *, ended: bool = True) -> Hypothesis:
    """A sequence that spells `text`, every token with the same log-probability."""
    tokens = (*text.encode(), *([END] if ended else []))
    logprobs = np.full(len(tokens), logprob, np.float32)
    finish = Finish.EOS if ended else Finish.LENGTH
    return Hypothesis(tokens=tokens, score=float(logprobs.sum()), finish=finish, logprobs=logprobs)


def result(*hypotheses: Hypothesis, at_start: dict[int, float] | None = None) -> GenerationResult:
    return GenerationResult(hypotheses, logits_with(at_start or {})[np.newaxis])


Respond = Callable[[Sequence[GenerationRequest]], list[GenerationResult]]


def run(job: Job, respond: Respond) -> Outputs:
    """Run a job to its end, as the engine does; `respond` is asked for every step."""
    answer: list[GenerationResult] | None = None
    while True:
        try:
            wanted = job.send(answer) if answer is not None else next(job)
        except StopIteration as done:
            outputs: Outputs = done.value
            return outputs
        answer = respond(wanted)


def nobody_asks(wanted: Sequence[GenerationRequest]) -> list[GenerationResult]:
    raise AssertionError(f"the network was asked for {len(wanted)} generations")


def _byte_symbols() -> list[str]:
    """GPT-2's printable stand-in for every byte, in the order of the bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
