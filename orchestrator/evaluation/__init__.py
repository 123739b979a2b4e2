"""What the pipeline is worth: measurements that a user can repeat."""
