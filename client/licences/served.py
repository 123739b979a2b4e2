"""What is known of served models by their names, whatever version serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Known:
    """Facts about one model, or about all whose names fit a pattern."""

    licence: str
    """Identifier in `known`."""
    source: str
    """Who made it, and where it comes from."""


_OWN = Known("Apache-2.0", "part of this project")
_BOUNDARY = Known("Apache-2.0", "trained by this project on English and Spanish text of Debian packages")
_S3FD = Known("BSD-3-Clause", "Zhang et al. 2017; weights as github.com/1adrianb/face-alignment publishes them")

MODELS: Mapping[str, Known] = {
    "stt_pocketsphinx": Known("BSD-2-Clause", "PocketSphinx 5 and its US-English model (Carnegie Mellon University)"),
    "stt_whisper": Known("MIT", "Radford et al. 2022; weights as github.com/openai/whisper publishes them"),
    # Debian's copyright files: apertium GPL-2+, apertium-eng-spa GPL-2. The stricter one counts.
    "mt_apertium": Known("GPL-2.0-only", "Apertium and its English-Spanish data, as Debian packages them"),
    "mt_opus": Known("Apache-2.0", "part of this project; the models that it chooses among have licences of their own"),
    "opus_mt_*": Known("CC-BY-4.0", "Tiedemann and Thottingal 2020; Helsinki-NLP, some of whose cards say Apache-2.0"),
    "tts_espeak": Known("GPL-3.0-or-later", "eSpeak NG, as Debian packages it"),
    "tts_xtts": Known("LicenseRef-CPML", "XTTS-v2 of Coqui"),
    "faces_haar": Known("Apache-2.0", "OpenCV; the cascades carry Intel's own permissive licence"),
    "faces_s3fd": _S3FD,
    "s3fd": _S3FD,
    "s3fd_boxes": _OWN,
    "lips_warp": _OWN,
    "lips_wav2lip": Known("LicenseRef-Wav2Lip", "Prajwal et al. 2020; github.com/Rudrabha/Wav2Lip"),
    "sentence_boundary": _BOUNDARY,
    "sentence_boundary_net": _BOUNDARY,
    "sentence_boundary_tokens": _OWN,
}
"""By name in Triton's repository; the pattern stands for the models of single pairs."""


def known_of(model: str) -> Known | None:
    """Return what is known of the model; None: it is somebody else's."""
    if model in MODELS:
        return MODELS[model]
    return next((known for pattern, known in MODELS.items() if "*" in pattern and fnmatchcase(model, pattern)), None)
