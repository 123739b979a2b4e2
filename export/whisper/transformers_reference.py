"""The gate's reference for folders: transformers' WhisperForConditionalGeneration, and its own generation."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from export.seq2seq.hidden import project
from export.seq2seq.quiet import quiet_transformers
from export.seq2seq.runner import Floats, Ids
from export.signature import Tensors
from export.whisper.vocabulary import Vocabulary

BEAMS = 5


class TransformersReference:
    """Whisper as transformers computes it, in fp32."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        """Load the folder by the library's own means, offline."""
        self.library = f"transformers {transformers.__version__}"
        with quiet_transformers():
            self.model: Any = WhisperForConditionalGeneration.from_pretrained(  # in eval
                folder, dtype=torch.float32, local_files_only=True
            )
        self.vocabulary = vocabulary

    def encode(self, inputs: Tensors) -> "TransformersEncoded":
        """Encode mel [B, n_mels, frames] of whole windows."""
        with torch.no_grad():
            hidden = self.model.model.encoder(torch.from_numpy(inputs["mel"])).last_hidden_state
        return TransformersEncoded(self, hidden)


class TransformersEncoded:
    """A batch of encoded windows."""

    def __init__(self, reference: TransformersReference, hidden: torch.Tensor) -> None:
        self._model, self._vocabulary, self._hidden = reference.model, reference.vocabulary, hidden

    def cross(self) -> Tensors:
        """Project as the decoder layers do."""
        attentions = [layer.encoder_attn for layer in self._model.model.decoder.layers]
        layers = [(attention.k_proj, attention.v_proj) for attention in attentions]
        return project(self._hidden, layers, self._model.config.decoder_attention_heads)

    def logits(self, ids: Ids) -> Floats:
        """Compute without a cache."""
        with torch.no_grad():
            outputs = self._model(
                encoder_outputs=BaseModelOutput(last_hidden_state=self._hidden),
                decoder_input_ids=torch.from_numpy(ids),
                use_cache=False,
            )
        logits: Floats = outputs.logits.numpy()
        return logits

    def greedy(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode by `generate`."""
        return self._generate(prompt, limit, beams=1)

    def beam(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode by `generate` with beams."""
        return self._generate(prompt, limit, beams=BEAMS)

    def _generate(self, prompt: Ids, limit: int, beams: int) -> list[list[int]]:
        """GenerationMixin's: Whisper's own one adds what serving does outside of the graphs (windows, languages)."""
        vocabulary = self._vocabulary
        settings = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=limit,
            num_beams=beams,
            do_sample=False,
            suppress_tokens=list(vocabulary.suppress) or None,
            begin_suppress_tokens=list(vocabulary.begin_suppress) or None,
            eos_token_id=vocabulary.end,
            pad_token_id=vocabulary.end,
            bos_token_id=vocabulary.end,
            decoder_start_token_id=vocabulary.special["sot"],
        )
        with torch.no_grad(), quiet_transformers():
            ids = GenerationMixin.generate(
                self._model,
                encoder_outputs=BaseModelOutput(last_hidden_state=self._hidden),
                decoder_input_ids=torch.from_numpy(prompt),
                generation_config=settings,
            )
        return [_until(row, vocabulary.end) for row in ids[:, prompt.shape[1] :].numpy()]


def _until(row: Ids, end: int) -> list[int]:
    """Leave out what fills the batch after the end token."""
    tokens: list[int] = row.tolist()
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens


def draw_prompt(vocabulary: Vocabulary, rng: np.random.Generator, batch: int) -> Ids:
    """One language for a batch, drawn."""
    language = str(rng.choice(sorted(vocabulary.languages))) if vocabulary.multilingual else ""
    return np.tile(np.array(vocabulary.prompt(language), np.int64), (batch, 1))
