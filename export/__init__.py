"""Published checkpoints -> checked ONNX (or TensorRT) versions in the model repository. Needs the extra `export`.

One sub-package a model family, one module a precision; `polylip models export` and `polylip models synth` drive them.
Only this package imports torch.
"""
