"""Fitting translated speech into its slot."""
