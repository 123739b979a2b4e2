"""transformers' MarianMTModel, loaded anew from the published folder: what the gate compares with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import MarianMTModel

from export.marian.settings import SearchSettings
from export.seq2seq.attention import split_heads
from export.seq2seq.runner import Floats, Ids
from export.signature import Tensors


class MarianReference:
    """Fills the Protocol `Reference`."""

    library = f"transformers {transformers.__version__}"

    def __init__(self, folder: Path, search: SearchSettings, beams: int) -> None:
        """`beams`: of the searches that are compared."""
        model: Any = MarianMTModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        self._model = model.eval()
        self._options = {
            "bad_words_ids": [[token] for token in search.suppress] or None,
            "length_penalty": search.length_penalty,
            "early_stopping": search.early_stopping,
            "do_sample": False,
            "max_length": None,  # max_new_tokens says it
        }
        self._beams = beams

    def encode(self, inputs: Tensors) -> "MarianEncoded":
        """Encode padded sources: input_ids and encoder_mask [B, S]."""
        ids, mask = torch.from_numpy(inputs["input_ids"]), torch.from_numpy(inputs["encoder_mask"])
        with torch.no_grad():
            hidden = self._model.model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return MarianEncoded(self._model, ids, mask, hidden, self._options, self._beams)


@dataclass(frozen=True)
class MarianEncoded:
    """Fills the Protocol `Encoded`."""

    model: Any
    input_ids: Tensor
    mask: Tensor
    hidden: Tensor
    """[B, S, width], padding included."""
    options: Mapping[str, Any]
    beams: int

    def cross(self) -> Tensors:
        """Project the encoder's last layer as every decoder layer does for itself."""
        found: dict[str, Floats] = {}
        with torch.no_grad():
            for index, layer in enumerate(self.model.model.decoder.layers):
                attention = layer.encoder_attn
                for kind, project in (("key", attention.k_proj), ("value", attention.v_proj)):
                    split = split_heads(project(self.hidden), self.model.config.decoder_attention_heads)
                    found[f"cross_{kind}_{index}"] = split.numpy()
        return found

    def logits(self, ids: Ids) -> Floats:
        """Run the decoder over all tokens at once."""
        with torch.no_grad():
            output = self.model(
                encoder_outputs=(self.hidden,), attention_mask=self.mask, decoder_input_ids=torch.from_numpy(ids)
            )
        logits: Floats = output.logits.numpy()
        return logits

    def greedy(self, prompt: Ids, limit: int) -> list[list[int]]:
        """`generate` with one beam."""
        return self._generate(prompt, limit, 1)

    def beam(self, prompt: Ids, limit: int) -> list[list[int]]:
        """`generate` with the beams."""
        return self._generate(prompt, limit, self.beams)

    def _generate(self, prompt: Ids, limit: int, beams: int) -> list[list[int]]:
        options = {name: value for name, value in self.options.items() if beams > 1 or name in _ALWAYS}
        with torch.no_grad():
            ids = self.model.generate(
                input_ids=self.input_ids, attention_mask=self.mask, decoder_input_ids=torch.from_numpy(prompt),
                max_new_tokens=limit, num_beams=beams, **options,
            )  # fmt: skip
        end = self.model.config.eos_token_id
        return [_until_end(row, end) for row in ids[:, prompt.shape[1] :].tolist()]


_ALWAYS = ("bad_words_ids", "do_sample", "max_length")
"""Options that mean something without beams too."""


def _until_end(tokens: list[int], end: int) -> list[int]:
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens
