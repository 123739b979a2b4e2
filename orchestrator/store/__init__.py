"""What outlives a process: the job store (SQLAlchemy) and the media store (fsspec)."""
