"""What operators see of a running process: metrics, spans, and the ids that tie log lines to both."""
