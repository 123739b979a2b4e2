"""tensorrt_fp32: see tensorrt.py."""

from export.precision.tensorrt import TensorRtSingle

PRECISION = TensorRtSingle()
