"""The asynchronous dubbing pipeline around Triton."""
