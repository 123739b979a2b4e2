"""Typed access to Polylip's outside faces: Triton over gRPC (the only place that imports tritonclient) and the REST API."""
