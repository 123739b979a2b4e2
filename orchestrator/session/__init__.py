"""The session: owns one clip, its order and its state."""
