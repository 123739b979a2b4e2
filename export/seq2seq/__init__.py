"""What encoder-decoder networks share: attention with a cache, its graphs, and decoding with them for the gate.

Layout everywhere: R = B * beams rows, the rows of one source side by side; T new tokens after P past ones.
"""
