"""The visual branch: faces, tracks, ring buffer, lips, compositor."""
