"""Triton backend `generate`: token loops (Whisper, Marian, GPT-like decoders) over ONNX graphs, next to the weights.

Triton loads model.py; it puts the folder above this one on sys.path, so that this package is `generate` there and in
tests (`from generate.frontend import Job`). docs/GENERATE.md says what a version's folder holds and how batching works.
In order of reading:

    generation.py   what a front-end asks for and gets: GenerationRequest, DecodingOptions, GenerationResult
    frontend.py     the Protocol that a family fulfils (whisper/, marian/, tokens/), and how one is found
    folder.py       generation.json and the files of a version, read and checked
    graphs.py       the graphs as ONNX Runtime sessions; caches are OrtValues throughout (values.py)
    source_batch.py, batch.py       sources encoded together, rows that decode together: bindings, masks, positions
    chooser.py, rows.py, beams.py   which token comes next, by rules.py and ranking.py
    generations.py, running_job.py  generations in a batch, and the front-end's generator that waits for them
    engine.py       the one thread that does all of it in turn
"""
