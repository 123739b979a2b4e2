"""The family `xtts`: speech in the voice of a given speaker, streamed as it is made (XTTS-v2)."""
