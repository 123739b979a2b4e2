"""One PocketSphinx decoder that remembers nothing between recordings."""

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder
from pocketsphinx_audio import SAMPLE_RATE_HZ, decoder_samples
from pocketsphinx_hearing import (
    NO_SPEECH_ABOVE,
    Word,
    active_frames,
    believable,
    mean_logprob,
    no_speech_probability,
)
from pocketsphinx_text import bare_word, tidy_transcript


class Ear:
    """Transcribes US English with the model that PocketSphinx's wheel carries."""

    def __init__(self) -> None:
        # cmn=batch: the cepstral mean is the recording's own, not one carried over from the recordings before
        self._decoder = Decoder(samprate=SAMPLE_RATE_HZ, cmn="batch", loglevel="ERROR")

    def hear(self, audio: NDArray[np.float32]) -> tuple[str, float, float]:
        """Transcribe checked audio ([n], 16 kHz, -1..1): text, no-speech probability, mean log-probability."""
        active = active_frames(audio, SAMPLE_RATE_HZ)
        words = believable(self._decode(decoder_samples(audio))) if active.any() else []
        no_speech = no_speech_probability(words, active)
        if no_speech > NO_SPEECH_ABOVE:
            return "", no_speech, mean_logprob(words)
        return tidy_transcript([word.text for word in words]), no_speech, mean_logprob(words)

    def _decode(self, samples: NDArray[np.int16]) -> list[Word]:
        decoder = self._decoder
        decoder.reinit_feat()  # forgets the noise spectrum that the recordings before left behind (0.04 ms)
        decoder.start_utt()
        try:
            decoder.process_raw(samples.tobytes(), full_utt=True)
        finally:
            decoder.end_utt()
        # fillers are <s>, </s>, <sil>, [NOISE], [SPEECH]; too short a recording has no segments at all
        return [
            Word(bare_word(found.word), found.start_frame, found.end_frame, min(1.0, found.prob))
            for found in decoder.seg() or ()
            if found.word[0] not in "<["
        ]
