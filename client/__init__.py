"""Typed access to Triton over gRPC (the only place that imports tritonclient), and the REST client."""
