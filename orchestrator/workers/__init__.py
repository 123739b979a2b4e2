"""Stage workers: stateless consumers, one file a stage."""
