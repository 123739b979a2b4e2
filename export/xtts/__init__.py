"""XTTS-v2: text and a speaker's sample become speech; a published folder becomes the graphs of `tts_xtts`."""
