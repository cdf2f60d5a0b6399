"""Where messages may go: to hosts that the settings list, at addresses that anybody may reach.

A host is looked up once for each attempt, and the connection goes to an address that was checked then: a name that
leads elsewhere a moment later leads nowhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from app.core.errors import WebhookRefused
from app.core.settings import Settings

MAX_URL = 2000
URL = re.compile(r"https?://[!-\[\]-~]+")
"""ASCII without blanks and backslashes, which programs read differently."""
PORTS = {"https": 443, "http": 80}
NAT64 = IPv6Network("64:ff9b::/96")


class Place(NamedTuple):
    """A URL that was read; `is_private` if its host may be at an address that only this network has."""

    scheme: str
    host: str
    port: int
    target: str
    is_private: bool


def place_of(url: str, settings: Settings) -> Place:
    """Read a URL; raise `WebhookRefused` if nothing may be sent there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not URL.fullmatch(url) or len(url) > MAX_URL or not host or parts.username is not None or parts.fragment:
        raise WebhookRefused(f"{url[:100]!r} is no URL such as https://hooks.example.com/wordkin.", url=url[:MAX_URL])
    names = {f"{host}:{port or PORTS[parts.scheme]}"} | ({host} if port in {None, PORTS[parts.scheme]} else set())
    is_private = _lists(settings.private_hooks, names)
    if not is_private and not _lists(settings.hooks, names):
        listed = ", ".join([*settings.hooks, *settings.private_hooks]) or "none"
        told = f"Messages may not go to {host}{f':{port}' if port else ''}; WORDKIN_WEBHOOK_HOSTS allows: {listed}."
        raise WebhookRefused(told, host=host)
    if parts.scheme != "https" and not is_private:
        raise WebhookRefused(f"Messages to {host} need https.", host=host)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port or PORTS[parts.scheme], target, is_private)


def _lists(hosts: Iterable[str], names: set[str]) -> bool:
    """Whether one of the names is listed; an entry such as ``*.example.com`` lists all names below."""
    return any(name == host or (host.startswith("*.") and name.endswith(host[1:])) for host in hosts for name in names)


def addresses_of(place: Place) -> list[str]:
    """Look a host up; raise `WebhookRefused` unless all its addresses may be reached, `OSError` if it has none."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not _may_be_reached(ip_address(address.partition("%")[0]), is_private=place.is_private):
            raise WebhookRefused(f"{place.host} is at {address}, where messages may not go.", host=place.host)
    return addresses


def _may_be_reached(address: IPv4Address | IPv6Address, *, is_private: bool) -> bool:
    """Whether an address, and the one that it may hold within, is global; or private where that is meant."""
    if isinstance(address, IPv6Address):
        within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            within.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if not all(_may_be_reached(each, is_private=is_private) for each in within if each):
            return False
        if address.ipv4_mapped:
            return True
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    return is_private or address.is_global
