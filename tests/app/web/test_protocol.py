"""What is sent before a request is one, over a socket as a client's bytes come."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from app.web import protocol
from app.web.protocol import MAX_HEAD_BYTES
from tests.published import World, random_vectors


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    world = World(tmp_path_factory.mktemp("world"))
    world.publish("m", ["감동", "여운", "king"], random_vectors(3, 8))
    with world.served() as client:
        yield client
    world.close()


def raw_answer(client: httpx.Client, *pieces: bytes) -> bytes:
    """What is answered to these bytes on a connection of their own."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), 10) as connection:
        answer = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while got := connection.recv(1 << 16):
                answer += got
        except ConnectionError:  # it was closed while we still sent
            while got := connection.recv(1 << 16):
                answer += got
    return answer


def sent(client: httpx.Client, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
    """The same as status, headers and body."""
    head, _, body = raw_answer(client, *pieces).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


HOST = b"Host: localhost\r\nConnection: close\r\n"


def test_a_head_without_an_end_is_refused_soon(client: httpx.Client) -> None:
    start = b"GET /livez HTTP/1.1\r\n" + HOST + b"X-Long: "
    status, headers, body = sent(client, start, b"x" * (MAX_HEAD_BYTES + 1))
    assert (status, headers["content-type"]) == (431, "application/problem+json")
    assert "65,536 bytes" in json.loads(body)["detail"]
    assert client.get("/livez").status_code == 200


def test_a_head_below_the_limit_is_read(client: httpx.Client) -> None:
    start = b"GET /livez HTTP/1.1\r\n" + HOST + b"X-Long: "
    assert sent(client, start, b"x" * (MAX_HEAD_BYTES - 1000), b"\r\n\r\n")[0] == 200


def test_an_address_that_is_too_long_is_told_to_be_sent_as_a_body(client: httpx.Client) -> None:
    status, _, body = sent(client, b"GET /text-vector?text=" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status == 431
    assert "POST" in json.loads(body)["detail"]


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET\r\n\r\n"])
def test_what_is_no_request_is_answered_as_a_problem(client: httpx.Client, noise: bytes) -> None:
    status, headers, body = sent(client, noise)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert json.loads(body)["title"] == "Bad Request"


def test_letters_may_stand_in_an_address_as_they_are(client: httpx.Client) -> None:
    raw = "GET /neighbors?word=감동&k=1 HTTP/1.1\r\n".encode() + HOST + b"\r\n"
    status, _, body = sent(client, raw)
    assert (status, json.loads(body)["word"]) == (200, "감동")


def test_bodies_and_following_requests_are_left_as_they_are(client: httpx.Client) -> None:
    body = json.dumps({"queries": [{"word": "감동", "k": 1}]}, ensure_ascii=False).encode()
    post = b"POST /neighbors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    post += b"Content-Length: %d\r\n\r\n" % len(body) + body
    status, _, answered = sent(client, post, b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status == 200
    assert "감동".encode() in answered
    assert answered.endswith(b'{"status":"alive"}')


@pytest.mark.parametrize("pieces", [(), (b"GET /liv",), (b"GET /livez HTTP/1.1\r\n", HOST)])
def test_a_connection_from_which_no_whole_head_comes_is_ended(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    assert b"HTTP/1.1 408 " in raw_answer(client, *pieces)


def test_a_body_that_hardly_comes_is_ended_and_one_that_comes_is_not(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.3)
    head = b"PUT /files/slow HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
    status, headers, body = sent(client, head, b"x")
    assert (status, headers["content-type"]) == (408, "application/problem+json")
    assert "30,000 bytes" in json.loads(body)["detail"]
    assert client.get("/files/slow").status_code == 404
    monkeypatch.setattr(protocol, "MIN_BODY_BYTES", 1)

    def pieces() -> Iterator[bytes]:
        for _ in range(8):
            time.sleep(0.1)
            yield b"x" * 1000

    assert client.put("/files/steady", content=pieces()).status_code == 201
