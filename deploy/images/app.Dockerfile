# The application: gateway, stage workers and session owner are one image, called with another command each
# (docs/DEPLOY.md). Build it from the checkout's root:
#
#   docker build --file deploy/images/app.Dockerfile --tag polylip-app:0.1.0 .
#
# Needs no system package: FFmpeg, OpenCV and libsndfile come in wheels; speech engines run in Triton's image.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/polylip
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY client client
COPY deploy deploy
COPY export export
COPY orchestrator orchestrator
# Wheels only, so nothing is compiled; `cluster`: PostgreSQL and S3. PyTorch belongs to the extra `export`, which is not here.
RUN pip --python /opt/polylip/bin/python install --no-cache-dir --disable-pip-version-check --only-binary=:all: \
      --constraint constraints.txt ".[cluster]"

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 polylip \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin polylip \
  && install --directory --owner=10001 --group=10001 --mode=0750 /srv/polylip /var/tmp/polylip
COPY --from=build /opt/polylip /opt/polylip
# The root is mounted read-only: what is written goes to /srv/polylip (jobs, media), /var/tmp/polylip (scratch) and /tmp.
ENV PATH=/opt/polylip/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    POLYLIP_GATEWAY__HOST=0.0.0.0 \
    POLYLIP_LOG_FORMAT=json \
    POLYLIP_MODELS__REPOSITORY=/models \
    POLYLIP_SESSION__WORK_DIR=/var/tmp/polylip \
    POLYLIP_STORE__MEDIA_URL=file:///srv/polylip/media
# Without a setting the jobs are in a SQLite file in this folder.
WORKDIR /srv/polylip
USER 10001:10001
EXPOSE 8600 9460
ENTRYPOINT ["polylip"]
CMD ["serve"]
