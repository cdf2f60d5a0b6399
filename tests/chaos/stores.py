"""Storage of one's own that fills up, cannot be written to, or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from tests.chaos import writes
from tests.chaos.episodes import Episodes, Fault
from tests.chaos.network import Proxy
from tests.object_store import BUCKET, make_bucket, s3_server

LONGEST_SECONDS = 5.0


@dataclass(frozen=True)
class Store:
    """Where objects lie: its URL, the variables that reach it through what may fail, and the faults' weights."""

    url: str
    environment: dict[str, str]
    faults: dict[Fault, int]


@contextmanager
def opened(kind: str, folder: Path, episodes: Episodes) -> Iterator[Store]:
    """An empty storage; this process reaches it, too, and without fail."""
    disk = Disk(folder / "writes.json", episodes)
    if kind == "folder":
        yield Store((folder / "data" / "storage").as_uri(), {}, {disk.fail: 5})
        return
    (folder / "s3").mkdir()
    with s3_server(folder / "s3") as environment, pytest.MonkeyPatch.context() as patch:
        make_bucket(environment)
        for name, value in environment.items():
            patch.setenv(name, value)
        proxy = Proxy(urlsplit(environment["AWS_ENDPOINT_URL"]).port or 0)
        through = {**environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
        network = Network(proxy, episodes)
        try:
            yield Store(f"s3://{BUCKET}/chaos", through, {disk.fail: 3, network.fail: 5})
        finally:
            proxy.close()


class Disk:
    """Writes that fail in all processes."""

    def __init__(self, control: Path, episodes: Episodes) -> None:
        self._control = control
        self._episodes = episodes

    def fail(self, random: Random) -> None:
        kind = random.choice(list(writes.KINDS))
        seconds, share = random.uniform(0.5, LONGEST_SECONDS), random.choice([0.1, 0.5, 1.0])
        self._episodes.begin("disk", seconds, lambda: writes.heal(self._control))
        self._episodes.done[f"writes fail: {kind}"] += 1
        writes.fail(self._control, kind, share)


class Network:
    """What lies between the fleet and an object store."""

    def __init__(self, proxy: Proxy, episodes: Episodes) -> None:
        self._proxy = proxy
        self._episodes = episodes

    def fail(self, random: Random) -> None:
        state = random.choice(["gone", "slow", "frozen"])
        self._episodes.begin("network", random.uniform(0.5, LONGEST_SECONDS), lambda: self._proxy.become("well"))
        self._episodes.done[f"object store {state}"] += 1
        self._proxy.become(state)
