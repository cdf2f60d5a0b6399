"""What comes before a request is one: uvicorn's protocol, with a limit for heads and readable answers to wrong ones."""

from __future__ import annotations

import re
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web.problems import plain
from app.web.security import HEADERS

MAX_HEAD_BYTES = 64 << 10
"""Of the request line and all headers; the parser has no limit of its own, and a head has no end until it has ended."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    _is_in_head = True
    _n_head_bytes = 0
    """Of a head that has not ended, counted by what the socket gave at a time."""

    def data_received(self, data: bytes) -> None:
        if not self._is_in_head:
            super().data_received(data)
            return
        if self._n_head_bytes == 0 and not data.isascii():
            data = _with_encoded_target(data)
        self._n_head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._n_head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head, self._n_head_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._n_head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            self._send(HTTPStatus.BAD_REQUEST, f"{msg} What came is no HTTP/1.1 request.")

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
