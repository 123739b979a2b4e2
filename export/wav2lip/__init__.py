"""Wav2Lip: moves the lips of a face crop to a window of mel.

Prajwal, Mukhopadhyay, Namboodiri, Jawahar 2020, "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the
Wild". Written from the paper and from the keys and shapes of the published checkpoints (Rudrabha/Wav2Lip).
"""
