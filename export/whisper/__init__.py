"""Whisper: a published folder or file becomes a version of `stt_whisper`.

Radford et al. 2022, Robust Speech Recognition via Large-Scale Weak Supervision; github.com/openai/whisper.
"""
