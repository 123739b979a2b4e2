"""Trains `sentence_boundary`: is what was heard so far a whole sentence? See docs/SENTENCES.md.

packages -> sources -> sentences -> corpus -> windows -> training -> calibration -> graph; build.py knows the order.
"""
