"""What outlives a process: jobs and media."""
