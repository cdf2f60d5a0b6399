"""Ports of loopback that nobody listens on."""

from __future__ import annotations

import secrets
import socket

CHOSEN_FROM = range(20_000, 32_000)
"""Below those that a system gives to whoever does not ask for one: no connection takes it before the server is up."""


def free_ports(n: int) -> list[int]:
    """`n` different ports."""
    ports: list[int] = []
    while len(ports) < n:
        port = secrets.choice(CHOSEN_FROM)
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
