"""What every command that asks a service decides alike."""

from __future__ import annotations

import ssl

import pytest

from app.command import options
from app.command.client import Client

PROXIES = {"http": "https://proxy"}


@pytest.mark.parametrize(
    ("url", "proxies", "needed"),
    [
        ("http://127.0.0.1:8000", {}, False),
        ("HTTP://host", {}, False),
        ("https://host", {}, True),
        ("HTTPS://host", {}, True),
        ("http://host", PROXIES, True),
    ],
)
def test_whoever_is_asked_by_https_must_show_a_certificate(
    monkeypatch: pytest.MonkeyPatch, url: str, proxies: dict[str, str], needed: bool
) -> None:
    monkeypatch.setattr(options, "getproxies", lambda: proxies)
    asking = Client(url)
    mode = asking._http._transport._pool._ssl_context.verify_mode  # type: ignore[attr-defined] # of httpx's own
    asking.close()
    assert (mode == ssl.CERT_REQUIRED) is needed
