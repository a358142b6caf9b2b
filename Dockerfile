# syntax=docker/dockerfile:1
# An image of about 1.2 GB without torch. All that it installs is in .ci/image.sh, which also runs
# without Docker: `make image-steps`. The service answers on the container's loopback only, until it is
# started with `--host 0.0.0.0` and has a key; deploy/compose.yaml does both.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libgomp1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN TORCH_INDEX=${TORCH_INDEX} .ci/image.sh /opt/waggle

FROM python:${PYTHON}
# libgomp1: for llama.cpp. wget: for the health check, and for KubeRay's probes.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/waggle waggle \
    && install -d -o waggle -g waggle /var/lib/waggle-scrape
COPY --from=build /opt/waggle /opt/waggle
ENV PATH=/opt/waggle/venv/bin:$PATH \
    WAGGLE_ENCODERS=/opt/waggle/encoders \
    HOME=/var/lib/waggle \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/waggle
VOLUME /var/lib/waggle
EXPOSE 8000 8050
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
    CMD ["wget", "-q", "-T", "4", "-O", "/dev/null", "http://127.0.0.1:8000/health/ready"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["waggle"]
CMD ["serve", "--data", "/var/lib/waggle/data"]
