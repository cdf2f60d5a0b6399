"""A file comes whole although connections are lost, and another file in its place is noticed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.command import sending
from app.command.failures import NoService
from app.command.sending import Sending
from tests.app.command.conftest import Wordkin
from tests.published import World, wait_until

LINE = b"the king lives in the palace\n"
TEXT = LINE * 150_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """With nothing in it."""
    world = World(tmp_path / "world")
    yield world
    world.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "palace.txt"
    path.write_bytes(TEXT)
    return path


class Cutting:
    """Lets the connection break after some bytes of each request but the last, which the service then keeps.

    It needs a moment to notice: who asked at once would be told of none, and send them again.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n_cuts: int) -> None:
        self.begun_at: list[int] = []
        self.n_cuts = n_cuts
        whole, add = Sending._pieces, Sending._add

        def pieces(sender: Sending, offset: int) -> Iterator[bytes]:
            self.begun_at.append(offset)
            for i, piece in enumerate(whole(sender, offset)):
                if i == 2 and len(self.begun_at) <= self.n_cuts:
                    raise httpx.WriteError("cut")
                yield piece

        def cut(sender: Sending, upload_id: str, offset: int) -> None:
            try:
                add(sender, upload_id, offset)
            except NoService:
                wait_until(lambda: sender._client.get(*sender._where, upload_id)["offset"] > offset)
                raise

        monkeypatch.setattr(Sending, "_pieces", pieces)
        monkeypatch.setattr(Sending, "_add", cut)
        monkeypatch.setattr(sending, "RETRY_SECONDS", 0.01)


def test_an_upload_goes_on_by_itself(
    ask: Wordkin, service: httpx.Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutting = Cutting(monkeypatch, 2)
    done = ask("corpora", "upload", str(file))
    assert (done.returncode, done.stdout) == (0, "palace@1: 4.35 MB, 900,000 words\n")
    assert service.get("/corpora/palace").json()["sha256"] == hashlib.sha256(TEXT).hexdigest()
    first, second, third = cutting.begun_at
    assert 0 == first < second < third


def test_what_was_given_up_is_resumed_with_the_same_file_alone(
    ask: Wordkin, service: httpx.Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutting = Cutting(monkeypatch, 1)
    monkeypatch.setattr(sending, "AWAY_SECONDS", -1.0)
    packed = file.with_name("palace.txt.gz")
    packed.write_bytes(gzip.compress(TEXT, 0, mtime=0))
    cut = ask("files", "upload", str(packed))
    assert cut.returncode == 1
    upload_id = cut.stderr.partition("--resume ")[2].split()[0]
    content = packed.read_bytes()
    packed.write_bytes(content[:-1])
    assert ask("files", "upload", str(packed), "--resume", upload_id).returncode == 2
    packed.write_bytes(content[:20] + b"x" + content[21:])
    other = ask("files", "upload", str(packed), "--resume", upload_id)
    assert (other.returncode, "Digest mismatch" in other.stderr) == (1, True)
    packed.write_bytes(content)
    done = ask("files", "upload", str(packed), "--resume", upload_id)
    assert (done.returncode, done.stdout) == (0, "palace@1\n")
    assert service.get("/files/palace").json()["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert cutting.begun_at[1] > 0
    again = ask("files", "upload", str(packed), "--resume", upload_id)
    assert (again.returncode, again.stdout) == (0, "palace@1\n"), "sealed twice is sealed once"


def test_without_a_service_nothing_is_waited_for(ask: Wordkin, service: httpx.Client, file: Path) -> None:
    nobody = ask("corpora", "upload", str(file), "--url", "http://127.0.0.1:9")
    assert (nobody.returncode, "No service answers" in nobody.stderr) == (1, True)
    unknown = ask("corpora", "upload", str(file), "--resume", "0" * 32)
    assert (unknown.returncode, "may have expired" in unknown.stderr) == (1, True)
