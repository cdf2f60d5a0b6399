"""Where messages may go, and where they may not however it is written."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from app.core.errors import WebhookRefused
from app.core.settings import Settings
from app.webhooks import addresses
from app.webhooks.addresses import Place, place_of

SETTINGS = Settings(
    webhook_hosts="hooks.example.com, *.example.org:8443, 93.184.216.34", webhook_private_hosts="127.0.0.1:9000,intern"
)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://hooks.example.com", Place("https", "hooks.example.com", 443, "/", False)),
        ("https://HOOKS.example.com:443/a?b=c", Place("https", "hooks.example.com", 443, "/a?b=c", False)),
        ("https://a.example.org:8443/", Place("https", "a.example.org", 8443, "/", False)),
        ("http://127.0.0.1:9000/x", Place("http", "127.0.0.1", 9000, "/x", True)),
        ("https://intern/x", Place("https", "intern", 443, "/x", True)),
    ],
)
def test_what_is_listed_is_allowed(url: str, place: Place) -> None:
    assert place_of(url, SETTINGS) == place


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",  # not encrypted
        "https://hooks.example.com:22/",
        "https://a.example.org/",
        "https://example.org:8443/",
        "https://evil-example.org:8443/",
        "https://other.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://user:pass@hooks.example.com/",
        "https://hooks.example.com#@127.0.0.1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::1",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com /",
        "https://hooks.example.com/\r\nX: y",
        "https://höoks.example.com/",
        "http://127.0.0.1/",
        "ftp://hooks.example.com/",
        "//hooks.example.com/",
        "https:///x",
        "",
        "https://hooks.example.com/" + "x" * 2000,
    ],
)
def test_what_is_not_listed_or_reads_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(WebhookRefused):
        place_of(url, SETTINGS)


def look_up(monkeypatch: pytest.MonkeyPatch, *found: str, is_private: bool = False) -> list[str]:
    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", (address, 443)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return addresses.addresses_of(Place("https", "hooks.example.com", 443, "/", is_private))


def test_an_address_of_everybody_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ("93.184.216.34", "2606:2800:220:1::1", "93.184.216.34")
    assert look_up(monkeypatch, *found) == ["93.184.216.34", "2606:2800:220:1::1"]
    assert look_up(monkeypatch, "64:ff9b::5db8:d822") == ["64:ff9b::5db8:d822"]
    for address in ("10.0.0.1", "127.0.0.1", "::1", "fd00::1", "100.64.0.1", "::ffff:10.0.0.1"):
        assert look_up(monkeypatch, address, is_private=True) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "198.18.0.1",
        "::1",
        "fd00::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
    ],
)
def test_an_address_of_few_is_not_even_beside_a_good_one(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with pytest.raises(WebhookRefused):
        look_up(monkeypatch, "93.184.216.34", address)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254"],  # noqa: S104 (not bound)
)
def test_a_machines_own_services_are_never_reached(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with pytest.raises(WebhookRefused):
        look_up(monkeypatch, address, is_private=True)
