"""Published checkpoints -> files on this machine, whole and checked; `polylip models pull` drives it.

Speaks the Hugging Face hub's file protocol and plain HTTP over httpx. The hub's own library is not used: it compares
sizes, not hashes, of what it downloads, it knows no plain addresses, and what is told to the user, kept for a later
attempt and pinned is decided here in one place for both. Needs none of the packages of the extra `export`.
"""
