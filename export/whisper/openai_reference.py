"""The gate's reference for openai's files: the model and the decoding of the package openai-whisper."""

import warnings
from pathlib import Path

import torch
import whisper
from whisper.decoding import DecodingOptions, DecodingTask

from export.seq2seq.hidden import project
from export.seq2seq.runner import Floats, Ids
from export.signature import Tensors
from export.whisper.vocabulary import Vocabulary

BEAMS = 5


class OpenaiReference:
    """Whisper as openai-whisper computes it, in fp32."""

    def __init__(self, file: Path, vocabulary: Vocabulary) -> None:
        """Load the file by the library's own means."""
        self.library = f"openai-whisper {whisper.__version__}"
        self.model = whisper.load_model(str(file), device="cpu")
        self.vocabulary = vocabulary

    def encode(self, inputs: Tensors) -> "OpenaiEncoded":
        """Encode mel [B, n_mels, frames] of whole windows."""
        with torch.no_grad():
            return OpenaiEncoded(self, self.model.encoder(torch.from_numpy(inputs["mel"])))


class OpenaiEncoded:
    """A batch of encoded windows."""

    def __init__(self, reference: OpenaiReference, hidden: torch.Tensor) -> None:
        self._model, self._vocabulary, self._hidden = reference.model, reference.vocabulary, hidden

    def cross(self) -> Tensors:
        """Project as the decoder's blocks do."""
        layers = [(block.cross_attn.key, block.cross_attn.value) for block in self._model.decoder.blocks]
        return project(self._hidden, layers, self._model.dims.n_text_head)

    def logits(self, ids: Ids) -> Floats:
        """Compute without a cache."""
        with torch.no_grad():
            logits: Floats = self._model.logits(torch.from_numpy(ids), self._hidden).numpy()
        return logits

    def greedy(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode by DecodingTask; it leaves the end token out, which came if there was room left."""
        texts = self._decode(prompt, limit, beams=None)
        return [text if len(text) == limit else [*text, self._vocabulary.end] for text in texts]

    def beam(self, prompt: Ids, limit: int) -> list[list[int]]:
        """Decode by DecodingTask with beams, which ends every text, in the last place if need be."""
        return [[*text, self._vocabulary.end] for text in self._decode(prompt, limit, beams=BEAMS)]

    def _decode(self, prompt: Ids, limit: int, beams: int | None) -> list[list[int]]:
        codes = {token: code for code, token in self._vocabulary.languages.items()}
        options = DecodingOptions(
            language=codes[int(prompt[0, 1])] if self._vocabulary.multilingual else "en",
            sample_len=limit,
            beam_size=beams,
            without_timestamps=True,
            suppress_tokens=list(self._vocabulary.suppress),
            fp16=False,
        )
        task = DecodingTask(self._model, options)
        assert list(task.initial_tokens) == prompt[0].tolist()
        with warnings.catch_warnings():
            # It sorts a tensor by numpy's argsort.
            warnings.filterwarnings("ignore", message="__array_wrap__ must accept", category=DeprecationWarning)
            # One by one: a window of a batch would go on as long as another, and may find a better text meanwhile.
            return [task.run(self._hidden[row : row + 1])[0].tokens for row in range(len(prompt))]
