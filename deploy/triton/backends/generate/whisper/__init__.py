"""Whisper's front-end: from samples to token ids and from token ids to text. docs/SPEECH.md tells the whole story.

Pure parts, each with its own tests: mel (log-mel spectrogram), windows (recordings longer than the network hears at
once), section (what generation.json says; prompts and languages), verdict (when to try again, what is silence), voice
(is there a voice at all), text (token ids to text), options (config.pbtxt). transcription says what is generated next,
front_end serves requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from generate.folder import VersionFolder

from .front_end import WhisperFrontEnd
from .options import read_options
from .section import read_section
from .text import Vocabulary
from .transcription import Transcriber


def open_front_end(folder: VersionFolder, parameters: Mapping[str, str]) -> WhisperFrontEnd:
    """Read the version's `whisper` section, its vocabulary and the config's parameters.

    BadFolder or BadParameter, which fail the load, say what does not fit.
    """
    settings = folder.settings
    section = read_section(folder.section, settings.vocab_size)
    # Half the decoder's positions are for text: the other half was earlier text in training (openai-whisper's limit).
    most = min(settings.defaults.max_new_tokens, settings.max_positions // 2)
    certain = replace(settings.defaults, max_new_tokens=most, temperature=0.0, logprobs=True)
    return WhisperFrontEnd(Transcriber(section, Vocabulary(folder, section), read_options(parameters), certain))
