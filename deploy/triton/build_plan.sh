#!/usr/bin/env bash
# Builds a TensorRT plan inside Triton's container, on the GPU that will serve it; see docs/GPU.md for the docker line.
#
#   deploy/triton/build_plan.sh <family> --checkpoint <file> --precision tensorrt --version <n>
#
# The arguments are those of `polylip models export`. The container goes away afterwards, so packages are installed into
# its own Python; the checkout must be its working directory, and gets the version and the timing cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# A plan is loaded only by the TensorRT that built it: Python's package must have the version of the server's library.
version="$(python3 - <<'PYTHON'
import ctypes
import ctypes.util

name = ctypes.util.find_library("nvinfer")
if name is None:
    raise SystemExit("libnvinfer is not here: run this inside Triton's container")
number = ctypes.CDLL(name).getInferLibVersion()  # TensorRT 10: major * 10000 + minor * 100 + patch
print(f"{number // 10000}.{number // 100 % 100}.{number % 100}")
PYTHON
)"

export PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore
python3 -m pip install --quiet --constraint constraints.txt --editable '.[export]' "tensorrt==${version}.*"
exec python3 -m orchestrator.cli.main models export "$@"
