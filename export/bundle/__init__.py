"""Families of several graphs: a published folder becomes a version that holds graphs, tokenizer and settings.

`export.family` is for networks that are one graph of fixed signature; here the number of tensors depends on the
checkpoint, and what the gate compares is text as well as numbers.
"""
