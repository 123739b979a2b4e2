"""Cutting a stream of audio into chunks."""
