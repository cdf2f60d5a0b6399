"""Webhooks over HTTP and on the command line, with a receiver that verifies as the standard's own library does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook

from app.core.settings import Settings
from app.core.watching import webhooks
from app.webhooks import posting
from app.webhooks.posting import post
from app.webhooks.schemas import WebhookRequest
from tests.app.command.conftest import typed
from tests.app.webhooks.receiver import Receiver, receiving
from tests.published import World, random_vectors, wait_until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    world = World(tmp_path, webhook_private_hosts=receiver.url.split("/")[2], webhook_hosts="hooks.example.com")
    yield world
    world.close()


def test_a_webhook_is_told_and_verifies_what_it_is_told(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_SECONDS", 0.5)
    with world.served() as http:
        made = http.post("/webhooks", json={"url": receiver.url, "types": ["alias.moved", "job.cancelled"]})
        assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
        webhook = made.json()
        secret = webhook.pop("secret")
        assert http.get("/webhooks").json() == {"webhooks": [webhook]}
        receiver.status = 500
        world.publish("m", ["a", "b"], random_vectors(2, 8))
        deliveries = f"/webhooks/{webhook['id']}/deliveries"
        wait_until(lambda: [each["outcome"] for each in http.get(deliveries).json()["deliveries"]] == ["answered 500"])
        assert http.get("/webhooks").json()["webhooks"][0]["failing_since"] is not None
        receiver.status = 204
        wait_until(lambda: len(receiver.received) == 2)
        for headers, body in receiver.received:
            told = Webhook(secret).verify(body, headers)
            assert (told["type"], told["data"]["model"], told["data"]["version"]) == ("alias.moved", "m", 1)
        assert receiver.received[0][0]["webhook-id"] == receiver.received[1][0]["webhook-id"]
        wait_until(lambda: http.get(deliveries).json()["deliveries"][0]["state"] == "delivered")
        assert http.get("/webhooks").json()["webhooks"][0]["failing_since"] is None
        assert 'wordkin_webhook_attempts_total{outcome="failed"}' in http.get("/metrics").text
        assert http.delete(f"/webhooks/{webhook['id']}").status_code == 204
        for method, path in (("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
            missing = http.request(method, f"/webhooks/{webhook['id']}{path}")
            assert (missing.status_code, missing.json()["type"]) == (404, "/problems/webhook-not-found")


def test_what_is_wrong_is_said(world: World) -> None:
    with world.served() as http:
        refused = http.post("/webhooks", json={"url": "https://elsewhere.example.com/x"})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/webhook-refused")
        assert "elsewhere.example.com; WORDKIN_WEBHOOK_HOSTS allows: hooks.example.com" in refused.json()["detail"]
    for wrong in ({"url": 1}, {"url": "https://hooks.example.com", "types": ["job.ended"]}, {}):
        with pytest.raises(ValidationError):
            WebhookRequest.model_validate(wrong)


def test_the_command_line_handles_them(world: World, receiver: Receiver) -> None:
    with world.served() as http:
        url = str(http.base_url)
        secret = typed("webhooks", "create", receiver.url, "--type", "job.failed", url=url).stdout.strip()
        assert secret.startswith("whsec_")
        webhook_id = json.loads(typed("webhooks", "list", "--json", url=url).stdout)["webhooks"][0]["id"]
        assert "job.failed" in typed("webhooks", "list", url=url).stdout
        sent = typed("webhooks", "test", webhook_id, url=url)
        assert (sent.returncode, sent.stdout) == (0, "Delivered: answered 204.\n")
        headers, body = receiver.received[0]
        assert Webhook(secret).verify(body, headers)["data"] == {"webhook": webhook_id}
        receiver.status = 302
        sent = typed("webhooks", "test", webhook_id, url=url)
        assert (sent.returncode, "Not delivered: answered 302." in sent.stderr) == (1, True)
        assert len(receiver.received) == 2, "redirects are not followed"
        assert "Nothing was sent." in typed("webhooks", "deliveries", webhook_id, url=url).stderr
        assert typed("webhooks", "delete", webhook_id, "--yes", url=url).returncode == 0
        assert http.get("/webhooks").json() == {"webhooks": []}


def test_what_goes_wrong_on_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens; somebody listens and sends a byte now and then; a name leads into this machine."""
    monkeypatch.setattr(posting, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(webhook_private_hosts=host, webhook_hosts="localhost")

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    while not ended.wait(0.05):
                        connection.sendall(b"H")
                except OSError:
                    pass

        ended, dripping = threading.Event(), threading.Thread(target=drip)
        dripping.start()
        slow = post(f"http://{host}/", "whsec_c2VjcmV0", "msg_1", "{}", settings)
        ended.set()
        dripping.join()
    assert (slow.status, slow.told) == (None, "no answer within 0.5 s")
    refused = post(f"http://{host}/", "whsec_c2VjcmV0", "msg_1", "{}", settings)
    assert refused.told.startswith("ConnectError")
    inside = post("https://localhost/", "whsec_c2VjcmV0", "msg_1", "{}", settings)
    assert "where messages may not go" in inside.told
