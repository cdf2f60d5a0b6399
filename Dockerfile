# syntax=docker/dockerfile:1
# One build, two images: `--target app` and `--target trainer`.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/wordkin
COPY requirements.txt .
RUN /opt/wordkin/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY app app
COPY trainer trainer
COPY migrations migrations
RUN /opt/wordkin/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim AS runtime
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin wordkin \
    && install --directory --owner wordkin --group wordkin /data
COPY --from=build /opt/wordkin /opt/wordkin
ENV PATH=/opt/wordkin/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    WORDKIN_DATA_DIR=/data \
    WORDKIN_LOG_JSON=true
USER 10001
WORKDIR /data
VOLUME /data

FROM runtime AS app
# Searches get their threads from our own pool
ENV WORDKIN_HOST=0.0.0.0 \
    OMP_NUM_THREADS=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["python", "-m", "app"]

FROM runtime AS trainer
# Compiled kernels are kept with the data: the rest of the file system is read-only
ENV NUMBA_CACHE_DIR=/data/numba
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["wordkin", "check"]
CMD ["python", "-m", "trainer"]
