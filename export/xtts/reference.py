"""The gate's reference: coqui-tts's Xtts, made from the published folder by its own code, in fp32 on the processor."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import TTS
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchaudio.functional import resample
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.xtts import Xtts, wav_to_mel_cloning

from export.seq2seq.quiet import quiet_transformers
from export.seq2seq.runner import Floats, Ids

CONFIG, VOCABULARY = "config.json", "vocab.json"
_SAMPLE_RATE_HZ, _SPEAKER_RATE_HZ = 22050, 16000
_MEL: Mapping[str, int] = {
    "n_fft": 2048,
    "hop_length": 256,
    "win_length": 1024,
    "power": 2,
    "sample_rate": _SAMPLE_RATE_HZ,
    "f_min": 0,
    "f_max": 8000,
    "n_mels": 80,
}
"""What the model asks of `wav_to_mel_cloning` for XTTS-v2."""


class _Loaded(Xtts):  # type: ignore[misc]  # the library is not typed
    """Takes weights that are read already.

    The library would read model.pth again, and rewrite it when its settings are an object of an older release: a
    checkpoint is the user's and stays as it is.
    """

    given: Mapping[str, Tensor]

    def _load_checkpoint(self, model_path: Path) -> dict[str, Tensor]:
        del model_path
        return dict(self.given)


class Reference:
    """XTTS-v2 as coqui-tts computes it. Sounds are FP32 [n], mono, -1..1; every result is on its own memory."""

    def __init__(self, folder: Path, state: Mapping[str, Tensor]) -> None:
        """Load a folder that `export.xtts` has read and accepted; `state`: its tensors by their published names."""
        self.library = f"coqui-tts {TTS.__version__}"
        self.config: Any = XttsConfig()
        self.config.load_json(str(folder / CONFIG))
        with quiet_transformers():
            self.model: Any = _Loaded(self.config)
            self.model.given = state
            self.model.load_checkpoint(
                self.config,
                checkpoint_dir=str(folder),
                vocab_path=str(folder / VOCABULARY),
                speaker_file_path="",  # ready-made voices are read by our own code
                eval=True,
                strict=True,
            )
        del self.model.given
        self.model.eval()
        self._embedder = self.model.hifigan_decoder.speaker_encoder

    def conditioning_mel(self, audio: Floats) -> Floats:
        """[n] at 22.05 kHz -> [80, frames]: natural logarithm, not yet divided by mel_stats."""
        nothing = torch.ones(_MEL["n_mels"])
        return _numpy(wav_to_mel_cloning(torch.from_numpy(audio)[None], mel_norms=nothing, **_MEL)[0])

    def resampled(self, audio: Floats) -> Floats:
        """[n] at 22.05 kHz -> at 16 kHz, as the speaker encoder's sound is."""
        return _numpy(resample(torch.from_numpy(audio)[None], _SAMPLE_RATE_HZ, _SPEAKER_RATE_HZ)[0])

    def speaker_mel(self, audio_16k: Floats) -> Floats:
        """[n] at 16 kHz -> [64, frames]: power of the pre-emphasised sound, no logarithm."""
        with torch.no_grad():
            return _numpy(self._embedder.torch_spec(torch.from_numpy(audio_16k)[None])[0])

    def latents(self, mel: Floats) -> Floats:
        """[B, 80, frames] -> [B, 32, width]."""
        with torch.no_grad():
            normed = torch.from_numpy(mel) / self.model.mel_stats[None, :, None]
            return _numpy(self.model.gpt.get_style_emb(normed).transpose(1, 2))

    def latents_of(self, audio: Floats) -> Floats:
        """[n] at 22.05 kHz -> [32, width], in the pieces that the checkpoint's settings name."""
        lengths = {"length": self.config.gpt_cond_len, "chunk_length": self.config.gpt_cond_chunk_len}
        return _numpy(self.model.get_gpt_cond_latents(torch.from_numpy(audio)[None], _SAMPLE_RATE_HZ, **lengths)[0])

    def embedding(self, mel: Floats) -> Floats:
        """[B, 64, frames], power -> [B, 512] of length 1."""
        self._embedder.use_torch_spec = False
        try:
            with torch.no_grad():
                return _numpy(self._embedder(torch.from_numpy(mel), l2_norm=True))
        finally:
            self._embedder.use_torch_spec = True

    def embedding_of(self, audio: Floats) -> Floats:
        """[n] at 22.05 kHz -> [512] of length 1."""
        found = self.model.get_speaker_embedding(torch.from_numpy(audio)[None].clone(), _SAMPLE_RATE_HZ)
        return _numpy(found[0, :, 0])

    def text_embeds(self, ids: Ids) -> Floats:
        """[B, T] -> [B, T, width]: the text's part of a prompt."""
        tokens, gpt = torch.from_numpy(ids), self.model.gpt
        with torch.no_grad():
            return _numpy(gpt.text_embedding(tokens) + gpt.text_pos_embedding(tokens))

    def code_embeds(self, codes: Ids) -> Floats:
        """[B, T] from the start code on -> [B, T, width]."""
        tokens, gpt = torch.from_numpy(codes), self.model.gpt
        with torch.no_grad():
            return _numpy(gpt.mel_embedding(tokens) + gpt.mel_pos_embedding(tokens))

    def hidden(self, latents: Floats, text: Ids, codes: Ids) -> tuple[Floats, Floats]:
        """Go through whole sequences at once: latents [B, 32, width], text [B, T] without start and stop, codes [B, n].

        Returns logits [B, n, codes] and hidden states [B, n, width]: row i is what code i is chosen from.
        """
        gpt, tokens = self.model.gpt, torch.from_numpy(codes)
        with torch.no_grad():
            found = gpt(
                torch.from_numpy(text),
                torch.full([len(text)], text.shape[1]),
                tokens,
                torch.full([len(codes)], codes.shape[1] * gpt.code_stride_len),
                cond_latents=torch.from_numpy(latents),
                return_latent=True,
            )
            return _numpy(gpt.mel_head(found)), _numpy(found)

    def greedy(self, latents: Floats, text: Ids, steps: int, penalty: float = 1.0) -> Ids:
        """Choose `steps` codes [B, steps] by the library's own generation, most probable each; the stop code never.

        `penalty` divides or multiplies the scores of what was said before, as the library does it: 1.0 does nothing.
        """
        gpt = self.model.gpt
        usual, gpt.max_gen_mel_tokens = gpt.max_gen_mel_tokens, steps
        try:
            with torch.no_grad(), quiet_transformers():
                codes = gpt.generate(
                    cond_latents=torch.from_numpy(latents),
                    text_inputs=torch.from_numpy(text),
                    do_sample=False,
                    num_beams=1,
                    repetition_penalty=float(penalty),
                    suppress_tokens=[gpt.stop_audio_token],
                )
        finally:
            gpt.max_gen_mel_tokens = usual
        return np.ascontiguousarray(codes.numpy())

    def features(self, hidden: Floats) -> Floats:
        """[n, width] -> [width, frames]: hidden states as often as the vocoder wants them."""
        decoder = self.model.hifigan_decoder
        rates = (
            decoder.ar_mel_length_compression / decoder.output_hop_length,
            decoder.output_sample_rate / decoder.input_sample_rate,
        )
        found = torch.from_numpy(hidden).T[None]
        for rate in rates:
            found = functional.interpolate(found, scale_factor=[rate], mode="linear")
        return _numpy(found[0])

    def speak(self, hidden: Floats, embedding: Floats) -> Floats:
        """[n, width], [512] -> the waveform at 24 kHz: FP32 [frames * 256]."""
        with torch.no_grad():
            voice = torch.from_numpy(embedding)[None, :, None]
            return _numpy(self.model.hifigan_decoder(torch.from_numpy(hidden)[None], g=voice)[0, 0])

    @contextmanager
    def exactly(self, codes: int) -> Iterator[dict[str, Any]]:
        """Let the library speak exactly so many codes, stop code not among them, as long as this lasts.

        Yields what `inference` and `inference_stream` must be given for it besides.
        """
        gpt = self.model.gpt
        usual, gpt.max_gen_mel_tokens = gpt.max_gen_mel_tokens, codes
        try:
            with quiet_transformers():
                yield {"suppress_tokens": [gpt.stop_audio_token]}
        finally:
            gpt.max_gen_mel_tokens = usual


def _numpy(found: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = found.detach().contiguous().numpy().copy()
    return array
