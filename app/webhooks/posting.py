"""One message over HTTP: signed, to an address that was checked, within some seconds, and following nothing."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpcore
import httpx
from standardwebhooks import Webhook

from app.core.errors import WebhookRefused
from app.core.settings import Settings
from app.core.watching.webhooks import Outcome
from app.webhooks.addresses import Place, addresses_of, place_of

SECONDS = 15.0
"""For all of an attempt, looking the host up aside."""


class _Timely(httpcore.NetworkStream):
    """A connection on which nothing waits beyond one moment, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 (ours is shorter)
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (ours is shorter)
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 (ours is shorter)
    ) -> httpcore.NetworkStream:
        return _Timely(self._stream.start_tls(ssl_context, server_hostname, self._left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Checked(httpcore.NetworkBackend):
    """Connects to addresses of one host that were checked, and to nothing else."""

    def __init__(self, place: Place) -> None:
        self._addresses = addresses_of(place)
        self._port = place.port
        self._deadline = time.monotonic() + SECONDS
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (it was looked up)
        port: int,  # noqa: ARG002 (it is known)
        timeout: float | None = None,  # noqa: ARG002 (ours is shorter)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        for address in self._addresses[:-1]:
            try:
                return self._connected(address, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(self._addresses[-1], local_address, socket_options)

    def _connected(
        self, address: str, local_address: str | None, options: Iterable[httpcore.SOCKET_OPTION] | None
    ) -> httpcore.NetworkStream:
        left = max(0.001, self._deadline - time.monotonic()) / 2
        return _Timely(self._backend.connect_tcp(address, self._port, left, local_address, options), self._deadline)


def post(url: str, secret: str, message_id: str, body: str, settings: Settings) -> Outcome:
    """Send a message; what the other side answers is not read beyond its status."""
    moment = datetime.now(UTC)
    headers: Mapping[bytes | str, bytes | str] = {
        "Content-Type": "application/json",
        "User-Agent": "wordkin",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }
    try:
        place = place_of(url, settings)
        asked = httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target)
        with (
            httpcore.ConnectionPool(httpx.create_ssl_context(), network_backend=_Checked(place)) as pool,
            pool.stream("POST", asked, headers=headers, content=body.encode()) as answer,
        ):
            return Outcome(answer.status, f"answered {answer.status}")
    except WebhookRefused as error:
        return Outcome(None, error.detail.rstrip("."))
    except httpcore.TimeoutException:
        return Outcome(None, f"no answer within {SECONDS:g} s")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError) as error:
        return Outcome(None, f"{type(error).__name__}: {error}"[:200])
