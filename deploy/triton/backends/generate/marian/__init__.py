"""Family `marian`: Opus-MT, one translation model of Helsinki-NLP's. Text in, text out; see docs/TRANSLATION.md.

The parts, pure: vocabulary (sentencepiece and vocab.json), sentences (cutting long texts), pieces (a text as what is
translated and what is kept as it is), casing and digits (what a translation must keep of its source), settings (the
family's own part of generation.json). front_end puts them behind the Protocol of ../frontend.py.
"""

from .front_end import open_front_end

__all__ = ["open_front_end"]
