"""Subtitles: laid out for reading, written as SubRip and WebVTT, and read back in place of speech recognition."""
