"""Triton backend `generate`: token loops (Whisper, Marian, GPT-like decoders) over ONNX graphs, next to the weights.

Triton loads model.py; it puts the folder above this one on sys.path, so that this package is `generate` there and in
tests. Modules import each other relatively. docs/GENERATE.md says what a model's version folder holds and how batching
works. In order of reading:

    generation.py   what a front-end asks for and gets: GenerationRequest, DecodingOptions, GenerationResult
    frontend.py     the Protocol that a family fulfils (whisper/, marian/, tokens/), and how one is found
    folder.py       generation.json and the files of a version, read and checked
    graphs.py       the graphs of a version as ONNX Runtime sessions; caches are OrtValues throughout
"""
