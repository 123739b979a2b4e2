"""Pure rules: which of a clip's own speech a TTS engine that clones voices is given as its reference."""
