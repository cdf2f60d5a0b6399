"""Connections to PostgreSQL on which no wait is without a limit.

The server ends a statement that takes too long. A server that stands still or has become unreachable cannot do so, and
neither kernel nor libpq would tell us. So each connection looks at the clock, too.
"""

from __future__ import annotations

import math
import time
from typing import Any, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Engine, create_engine, event

from app.core.settings import MAX_CONNECTIONS

BEYOND_SECONDS = 1.0
"""The server's own limit comes first, for after it the connection is still good."""
IDLE_IN_TRANSACTION_SECONDS = 60.0
"""A process that is stopped in the middle of a transaction keeps its locks no longer than this."""

Answer = TypeVar("Answer")


def open_engine(url: URL, timeout_seconds: float) -> Engine:
    """Make an engine that waits so long at most for a connection of its pool, for a new one, and for a statement."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=timeout_seconds,
        max_overflow=MAX_CONNECTIONS,
        connect_args=reaching(url, timeout_seconds),
    )
    event.listen(engine, "do_connect", lambda *given: LimitedConnection.open(given[2], given[3], timeout_seconds))
    return engine


def reaching(url: URL, timeout_seconds: float) -> dict[str, Any]:
    """Arguments with which libpq notices a network that loses everything; what the URL says about them stands."""
    limits = {
        "connect_timeout": math.ceil(timeout_seconds),
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    return {name: value for name, value in limits.items() if name not in url.query}


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server does not answer in time."""

    _limit_seconds = math.inf

    @classmethod
    def open(cls, positional: list[Any], named: dict[str, Any], timeout_seconds: float) -> LimitedConnection:
        connection = cls.connect(*positional, **named)
        connection._limit_seconds = timeout_seconds + BEYOND_SECONDS
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [f"{math.ceil(seconds * 1000)}ms" for seconds in (timeout_seconds, IDLE_IN_TRANSACTION_SECONDS)],
        )
        connection.commit()
        return connection

    def wait(self, gen: PQGen[Answer], *args: Any, **kwargs: Any) -> Answer:
        """Exchange something with the server; psycopg does all of that here."""
        try:
            return super().wait(_until(time.monotonic() + self._limit_seconds, gen), *args, **kwargs)
        except psycopg.errors.ConnectionTimeout:
            self.close()
            raise


def _until(deadline: float, exchange: PQGen[Answer]) -> PQGen[Answer]:
    """Take the steps of an exchange up to a moment; while nothing comes it is resumed ten times a second."""
    try:
        awaited = next(exchange)
        while True:
            awaited = exchange.send((yield awaited))
            if time.monotonic() > deadline:
                raise psycopg.errors.ConnectionTimeout("the server did not answer in time")
    except StopIteration as ended:
        return cast("Answer", ended.value)
