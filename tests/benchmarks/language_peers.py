"""The peers, from audio or text to text as their users call them: faster-whisper, CTranslate2, PyTorch."""

from collections.abc import Sequence

import ctranslate2
import numpy as np
import sentencepiece
import torch
from faster_whisper import WhisperModel
from transformers import AutoTokenizer, MarianMTModel, WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers import logging as transformers_logging

from tests.benchmarks.language_models import Models

transformers_logging.set_verbosity_error()  # it tells of every count of tokens that it was given
transformers_logging.disable_progress_bar()
_END_OF_TEXT = "<|endoftext|>"
_PROMPT_TOKENS = 4
"""Start, language, task, no timestamps."""


class FasterWhisper:
    """int8, greedy, 30 s of context, on all cores; the end token forbidden, so that the count of tokens is fixed."""

    def __init__(self, models: Models, threads: int) -> None:
        self._model = WhisperModel(
            str(models.whisper_peer), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=1
        )
        self._end = self._model.hf_tokenizer.token_to_id(_END_OF_TEXT)

    def transcribe(self, audio: np.ndarray, tokens: int) -> str:
        """One recording; an assertion when the count of tokens is another."""
        segments, _ = self._model.transcribe(
            audio, language="en", beam_size=1, best_of=1, temperature=0.0, without_timestamps=True,
            condition_on_previous_text=False, compression_ratio_threshold=None, log_prob_threshold=None,
            no_speech_threshold=None, suppress_tokens=[-1, self._end], max_new_tokens=2 * tokens - _PROMPT_TOKENS,
        )  # fmt: skip
        # CTranslate2 generates half as many as the prompt and max_new_tokens are together.
        found = list(segments)
        assert sum(len(each.tokens) for each in found) == tokens, [len(each.tokens) for each in found]
        return " ".join(each.text for each in found)


class CTranslate2:
    """int8, greedy."""

    def __init__(self, models: Models, threads: int) -> None:
        self._translator = ctranslate2.Translator(
            str(models.opus_peer), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
        )
        self._source, self._target = (
            sentencepiece.SentencePieceProcessor(model_file=str(models.opus / f"{side}.spm"))
            for side in ("source", "target")
        )

    def translate(self, texts: Sequence[str], tokens: int) -> list[str]:
        """All in one batch; an assertion when the count of tokens is another."""
        sources = [[*self._source.encode(text, out_type=str), "</s>"] for text in texts]
        results = self._translator.translate_batch(
            sources, beam_size=1, min_decoding_length=tokens, max_decoding_length=tokens, max_batch_size=len(texts)
        )
        assert all(len(result.hypotheses[0]) == tokens for result in results)
        return [self._target.decode(result.hypotheses[0]) for result in results]


class TorchWhisper:
    """transformers in fp32."""

    def __init__(self, models: Models) -> None:
        self._model = WhisperForConditionalGeneration.from_pretrained(models.whisper).eval()
        self._ears = WhisperFeatureExtractor.from_pretrained(models.whisper)

    def transcribe(self, audio: np.ndarray, tokens: int) -> None:
        """One recording."""
        features = self._ears(audio, sampling_rate=16000, return_tensors="pt").input_features
        with torch.inference_mode():
            self._model.generate(
                features, language="en", task="transcribe", num_beams=1, do_sample=False, min_new_tokens=tokens,
                max_new_tokens=tokens,
            )  # fmt: skip


class TorchMarian:
    """transformers in fp32."""

    def __init__(self, models: Models) -> None:
        self._model = MarianMTModel.from_pretrained(models.opus).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(models.opus)

    def translate(self, texts: Sequence[str], tokens: int) -> None:
        """All in one batch."""
        inputs = self._tokenizer(list(texts), return_tensors="pt", padding=True)
        with torch.inference_mode():
            self._model.generate(**inputs, num_beams=1, min_new_tokens=tokens, max_new_tokens=tokens)
