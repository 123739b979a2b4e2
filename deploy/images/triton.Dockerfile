# Triton with Polylip's engines: the programs and libraries that they call, and our backends. From the checkout's root:
#
#   docker build --file deploy/images/triton.Dockerfile --target cpu --tag polylip-triton:0.1.0-cpu .
#   docker build --file deploy/images/triton.Dockerfile --target gpu --tag polylip-triton:0.1.0-gpu .
#
# cpu: our Python-based backend `onnxruntime` (OpenVINO), the one that the tests run, takes the place of Triton's own.
# gpu: Triton's own `onnxruntime` and `tensorrt`, for the profiles gpu_ort and gpu_tensorrt (docs/GPU.md).
# The user is the application's, so that both may write to a repository that they share: the gateway swaps versions in it.
# The base is 26.04 or later: earlier servers have CVE-2026-24207.

FROM nvcr.io/nvidia/tritonserver:26.08-py3 AS build
WORKDIR /build
# pocketsphinx has no wheel for the base's Python 3.12: it is compiled here, and the compiler stays here.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends build-essential cmake python3-dev python3-venv \
  && rm -rf /var/lib/apt/lists/*
COPY deploy/triton/requirements.txt deploy/triton/constraints.txt ./
# nvidia-pytriton carries a tritonserver of its own, for machines without this image.
RUN python3 -m venv /opt/polylip/venv \
  && sed --in-place '/^nvidia-pytriton/d' requirements.txt \
  && /opt/polylip/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
       --constraint constraints.txt --requirement requirements.txt

FROM nvcr.io/nvidia/tritonserver:26.08-py3 AS engines
RUN apt-get update \
  && apt-get install --yes --no-install-recommends apertium apertium-eng-spa espeak-ng \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=10001 --group=10001 /cache/tensorrt
COPY --from=build /opt/polylip/venv /opt/polylip/venv
COPY deploy/triton/engine_kit /opt/tritonserver/backends/python/engine_kit
COPY deploy/triton/backends/generate /opt/tritonserver/backends/generate
COPY model_repository /opt/polylip/model_repository
COPY client/__init__.py client/errors.py client/exported.py /opt/polylip/client/
COPY deploy/__init__.py deploy/errors.py /opt/polylip/deploy/
COPY deploy/triton/__init__.py deploy/triton/absent.py deploy/triton/parts.py deploy/triton/profiles.py \
     deploy/triton/serve.py /opt/polylip/deploy/triton/
# Stubs take the site-packages of the first python3 on the PATH.
ENV PATH=/opt/polylip/venv/bin:/opt/tritonserver/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    POLYLIP_TRITON__PROFILE=cpu
WORKDIR /opt/polylip
USER 10001:10001
EXPOSE 8000 8001 8002
ENTRYPOINT ["python3", "-m", "deploy.triton.serve"]

FROM engines AS gpu
ENV POLYLIP_TRITON__PROFILE=gpu_ort

FROM engines AS cpu
USER 0:0
RUN rm -rf /opt/tritonserver/backends/onnxruntime
COPY deploy/triton/backends/onnxruntime /opt/tritonserver/backends/onnxruntime
USER 10001:10001
