"""What comes before a request is one: uvicorn's protocol, with a limit for heads and readable answers to wrong ones."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web.problems import plain
from app.web.security import HEADERS

MAX_HEAD_BYTES = 64 << 10
"""Of the request line and all headers; the parser has no limit of its own, and a head has no end until it has ended."""
HEAD_SECONDS = 20.0
"""In which a head must come, from its first byte on, or from the connection's start."""
BODY_SECONDS = 30.0
MIN_BODY_BYTES = 30_000
"""Which must come in that time while a body is waited for."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    _is_in_head = True
    _n_head_bytes = 0
    """Of a head that has not ended, counted by what the socket gave at a time."""
    _n_body_bytes = 0
    """Of a body that has not ended, since it was last looked at."""
    _watch: asyncio.TimerHandle | None = None
    """Of a connection from which something is to come."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._watch = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_watch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._receive_head(data)
        else:
            self._n_body_bytes += len(data)
            super().data_received(data)
        if self._watch is None and not self.transport.is_closing():
            if not self._is_in_head:
                self._watch = self.loop.call_later(BODY_SECONDS, self._look_at_body)
            elif self._n_head_bytes:
                self._watch = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)

    def _receive_head(self, data: bytes) -> None:
        if self._n_head_bytes == 0 and not data.isascii():
            data = _with_encoded_target(data)
        self._n_head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._n_head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._n_body_bytes = False, 0
        self._end_watch()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head, self._n_head_bytes = True, 0
        self._end_watch()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._n_head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            self._send(HTTPStatus.BAD_REQUEST, f"{msg} What came is no HTTP/1.1 request.")

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _end_slow_head(self) -> None:
        self._send(HTTPStatus.REQUEST_TIMEOUT, f"No whole head of a request came within {HEAD_SECONDS:g} seconds.")

    def _look_at_body(self) -> None:
        """End a connection whose body hardly comes, unless we ourselves hold it up."""
        is_held_up = self.flow.read_paused or self.cycle.waiting_for_100_continue
        if is_held_up or self._n_body_bytes >= MIN_BODY_BYTES:
            self._n_body_bytes = 0
            self._watch = self.loop.call_later(BODY_SECONDS, self._look_at_body)
        elif self.cycle.response_started:
            self.transport.close()
        else:
            told = f"Less than {MIN_BODY_BYTES:,} bytes of the body came within {BODY_SECONDS:g} seconds."
            self._send(HTTPStatus.REQUEST_TIMEOUT, told)

    def _refuse_head(self) -> None:
        self._send(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"Address and headers of a request may have {MAX_HEAD_BYTES:,} bytes; send long words and texts by POST.",
        )

    def _send(self, status: HTTPStatus, detail: str) -> None:
        response = plain(status, "", detail, {"Connection": "close"})
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in [*response.raw_headers, *HEADERS]]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))
        self.transport.close()


def _with_encoded_target(data: bytes) -> bytes:
    """Percent-encode what a client sent raw in the request line, as browsers do and `curl` does not."""
    line, end, rest = data.partition(b"\r\n")
    return _BEYOND_ASCII.sub(lambda found: b"%%%02X" % found[0][0], line) + end + rest
