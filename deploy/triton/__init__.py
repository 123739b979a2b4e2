"""The embedded Triton server and Triton backends."""
