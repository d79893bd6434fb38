# The HTTP service. By default it computes with ONNX Runtime on CPUs, without PyTorch:
#
#     python -m inference.onnx models/whisper-base-ser --output model    # the folder that is copied, or mounted at /model
#     docker build --tag ser .
#     docker run --rm --read-only --tmpfs /tmp --publish 8000:8000 ser
#
# On a GPU: docker build --build-arg RUNTIME=onnxruntime-gpu --build-arg BASE=nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04 .
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE} AS base

# The image of CUDA has no Python; those of Python have one.
# hadolint ignore=DL3008
RUN if ! command -v python3 > /dev/null; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends python3 python3-venv \
        && rm -rf /var/lib/apt/lists/*; \
    fi

FROM base AS packages
ARG RUNTIME=onnxruntime
WORKDIR /build
COPY pyproject.toml constraints.txt ./
RUN python3 -m venv /venv \
    && /venv/bin/pip install --no-cache-dir "pip>=25.1" \
    && sed -i "s/\"onnxruntime>=[0-9.]*\"/\"${RUNTIME}\"/" pyproject.toml \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt --group onnx-only \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt --no-deps silero-vad \
    && /venv/bin/pip uninstall --yes pip

FROM base
COPY --from=packages /venv /venv
WORKDIR /app
COPY predict.py LICENSE ./
COPY common common
COPY modeling modeling
COPY inference inference
COPY model /model
RUN /venv/bin/python -m compileall -q . \
    && useradd --system --uid 10001 --no-create-home ser
USER 10001
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    SER_MODEL=/model
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["/venv/bin/python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["/venv/bin/python", "-m", "inference.web", "serve", "--backend", "onnx", "--host", "0.0.0.0", "--port", "8000"]
