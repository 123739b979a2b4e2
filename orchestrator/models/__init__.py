"""Which version of a model serves: swaps, rollbacks, and what is kept of them."""
