"""Triton backend `generate`: token loops (Whisper, Marian, GPT-like decoders) over ONNX graphs, next to the weights.

Triton loads model.py; it puts the folder above this one on sys.path, so that this package is `generate` there and in
tests (`from generate.frontend import Job`). docs/GENERATE.md says what a version's folder holds and how batching works.
In order of reading:

    generation.py   what a front-end asks for and gets: GenerationRequest, DecodingOptions, GenerationResult
    frontend.py     the Protocol that a family fulfils (whisper/, marian/, tokens/), and how one is found
    folder.py       generation.json and the files of a version, read and checked
"""
