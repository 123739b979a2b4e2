"""Opus-MT (Marian): published folders of Helsinki-NLP become `opus_mt_<source>_<target>`. See docs/TRANSLATION.md."""
