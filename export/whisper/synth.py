"""Random weights in Whisper's published formats, where the published files are out of reach."""

import io
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from export.errors import NotInstalled
from export.install import write_file
from export.seq2seq.layers import Attention
from export.whisper.byte_pairs import openai_vocabulary
from export.whisper.generation import generation_config
from export.whisper.graphs import WhisperEncoderGraph
from export.whisper.names import to_openai
from export.whisper.network import Whisper, sinusoids
from export.whisper.openai_file import DIMS, STATE
from export.whisper.settings import SIZES, WhisperSettings, config_of, dims_of
from export.whisper.sounds import samples
from export.whisper.tokenizer_files import END, openai_tokenizer
from export.whisper.vocabulary import vocabulary_of

_LOGIT_SPREAD = 3.0
"""Standard deviation of the logits: first tokens of about 0.1..0.5, as where a trained network hesitates."""
_END_SPREAD = 3.0
"""Of the end token's logit, in those of all others: texts end after some 5 to 50 tokens."""
_SCORE_SPREAD = 2.0
"""Standard deviation of attention's scores: with 1, all positions would count alike and the sound for nothing."""
_BRANCH_GAIN = 0.7
"""Of what each part adds to its input."""
_HEARING_GAIN = 2.0
_WINDOWS = 4
"""Of random sound, whose mean is taken."""


def synthesise(out: Path, seed: int, size: str) -> None:
    """Write a folder, or one of openai's files when the name ends in .pt. Same seed, same weights, in both alike.

    Raises:
        ValueError: there is no such size.
        NotInstalled: it cannot be written.
    """
    if size not in SIZES:
        raise ValueError(f"there are the sizes {', '.join(SIZES)}, not {size!r}")
    settings = SIZES[size]
    state = random_state(settings, seed)
    if out.suffix == ".pt":
        buffer = io.BytesIO()
        torch.save({DIMS: dims_of(settings), STATE: to_openai(state)}, buffer)
        write_file(out, buffer.getvalue())
        return
    _write_folder(out, settings, state)


def random_state(settings: WhisperSettings, seed: int) -> dict[str, Tensor]:
    """Draw weights with which every part of the network matters, so that parity on them means something.

    Linear layers keep the spread of what they get. The embedding is so small that the token read last does not decide
    the next one, which a tied embedding otherwise makes it do, and so large that the logits have the spread wanted.
    What all sounds have in common is taken out of what the decoder hears, so that texts depend on the sound.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = Whisper(settings)
        for module in network.modules():
            _initialise(module)
        for attention in (each for each in network.modules() if isinstance(each, Attention)):
            attention.q_proj.weight.mul_(_SCORE_SPREAD)
            attention.out_proj.weight.mul_(_BRANCH_GAIN)
        network.model.encoder.embed_positions.weight.copy_(sinusoids(settings.audio_positions, settings.width))
        _set_tokens(network)
        _centre_hearing(network, seed)
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _set_tokens(network: Whisper) -> None:
    settings, decoder = network.settings, network.model.decoder
    nn.init.normal_(decoder.embed_tokens.weight, std=_LOGIT_SPREAD / math.sqrt(settings.width))
    decoder.embed_tokens.weight[openai_tokenizer(settings).token_to_id(END)] *= _END_SPREAD
    nn.init.normal_(decoder.embed_positions.weight, std=0.5)


def _centre_hearing(network: Whisper, seed: int) -> None:
    """Let the biases of cross-attention's values take away the mean of what the encoder says, and make it louder."""
    mel = samples(network.settings, np.random.default_rng(seed), _WINDOWS)["mel"]
    mean = WhisperEncoderGraph(network).encode(torch.from_numpy(mel)).mean(dim=(0, 1))
    for layer in network.decoder_layers:
        hearing = layer.encoder_attn
        hearing.v_proj.bias.copy_(-hearing.v_proj.weight @ mean)
        hearing.out_proj.weight.mul_(_HEARING_GAIN)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        gain = 2 * _BRANCH_GAIN if module.out_features < module.in_features else 1.0  # GELU halves what it gets
        nn.init.normal_(module.weight, std=gain / math.sqrt(module.in_features))
        if module.bias is not None:
            nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, nn.Conv1d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.normal_(module.bias, std=0.05)
    if isinstance(module, nn.LayerNorm):
        nn.init.uniform_(module.weight, 0.8, 1.2)
        nn.init.normal_(module.bias, std=0.05)


def _write_folder(out: Path, settings: WhisperSettings, state: Mapping[str, Tensor]) -> None:
    tokenizer = openai_tokenizer(settings)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        save_file(dict(state), partial / "model.safetensors", {"format": "pt"})
        for name, content in _texts(settings, tokenizer).items():
            write_file(partial / name, content.encode())
        partial.rename(out)
    except (OSError, SafetensorError) as error:
        raise NotInstalled(f"{out} cannot be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _texts(settings: WhisperSettings, tokenizer: Tokenizer) -> dict[str, str]:
    """Return the small files of a published folder by their names."""
    end, start = (tokenizer.token_to_id(f"<|{name}|>") for name in ("endoftext", "startoftranscript"))
    config = {
        "architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", "activation_function": "gelu",
        "scale_embedding": False, "decoder_start_token_id": start, "bos_token_id": end, "eos_token_id": end,
        "pad_token_id": end, "is_encoder_decoder": True, "torch_dtype": "float32", **config_of(settings),
    }  # fmt: skip
    seconds = settings.frames // 100
    hearing = {
        "feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor",
        "feature_size": settings.n_mels, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400,
        "chunk_length": seconds, "n_samples": seconds * 16000, "nb_max_frames": settings.frames,
        "padding_side": "right", "padding_value": 0.0, "return_attention_mask": False,
    }  # fmt: skip
    tokens = {f"{kind}_token": "<|endoftext|>" for kind in ("bos", "eos", "unk", "pad")}
    vocabulary, merges = openai_vocabulary(multilingual=settings.vocab_size >= 51865)
    contents: dict[str, Any] = {
        "config.json": config,
        "generation_config.json": generation_config(settings, vocabulary_of(tokenizer, settings, {})),
        "preprocessor_config.json": hearing,
        "tokenizer_config.json": {"tokenizer_class": "WhisperTokenizer", **tokens},
        "special_tokens_map.json": tokens,
        "vocab.json": vocabulary,
    }  # fmt: skip
    return {
        **{name: json.dumps(content, ensure_ascii=False) for name, content in contents.items()},
        "tokenizer.json": tokenizer.to_str(),
        "merges.txt": "".join(f"{one} {other}\n" for one, other in merges),
    }
