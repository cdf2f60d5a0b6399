"""Nobody waits for a database without an end: not for one that stands still, is locked, or has no connection free."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest
from sqlalchemy import text

from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.settings import MAX_CONNECTIONS
from tests.frozen import frozen

TIMEOUT_SECONDS = 1.0
BOUND_SECONDS = 8.0  # a turn, a connection of the pool, a new one (libpq: 2 s at least), an answer; and a slow machine
N_KEPT = 5  # connections that the pool keeps open beside MAX_CONNECTIONS more

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url, timeout_seconds=TIMEOUT_SECONDS)) as database:
        yield database


@contextmanager
def soon() -> Iterator[None]:
    """Fail when the block takes longer than the limits allow."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < BOUND_SECONDS


@postgresql
def test_a_new_connection_to_a_server_that_stands_still(impatient: Database, database_url: str) -> None:
    with frozen(database_url), soon(), pytest.raises(DatabaseUnavailable):
        impatient.check()
    impatient.check()


@postgresql
def test_an_idle_connection_to_a_server_that_stands_still(impatient: Database, database_url: str) -> None:
    impatient.check()
    with frozen(database_url), soon(), pytest.raises(DatabaseUnavailable):
        impatient.check()
    impatient.check()


@postgresql
def test_a_server_that_stops_in_the_middle_of_a_transaction(impatient: Database, database_url: str) -> None:
    def begin_and_go_on() -> None:
        with ExitStack() as stack, impatient.transaction() as session:
            session.execute(text("SELECT 1"))
            stack.enter_context(frozen(database_url))
            session.execute(text("SELECT 1"))

    with soon(), pytest.raises(DatabaseUnavailable):
        begin_and_go_on()
    impatient.check()


@postgresql
def test_nobody_of_many_hangs_on_a_server_that_stands_still_nor_does_the_end(
    impatient: Database, database_url: str
) -> None:
    def answers(_: int) -> bool:
        try:
            impatient.check()
        except DatabaseUnavailable:
            return False
        return True

    n_callers = 2 * MAX_CONNECTIONS
    with ThreadPoolExecutor(n_callers) as threads, frozen(database_url), soon():
        assert list(threads.map(answers, range(n_callers))) == [False] * n_callers
        impatient.close()


@postgresql
def test_a_statement_that_takes_too_long_is_ended_and_its_connection_kept(impatient: Database) -> None:
    with impatient.reading() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
    with soon(), pytest.raises(DatabaseUnavailable, match="QueryCanceled"), impatient.reading() as session:
        session.execute(text("SELECT pg_sleep(60)"))
    with impatient.reading() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) == backend


def test_a_pool_in_which_nothing_is_free(impatient: Database) -> None:
    with ExitStack() as held:
        for _ in range(N_KEPT + MAX_CONNECTIONS):
            held.enter_context(impatient.reading()).connection()
        with soon(), pytest.raises(DatabaseUnavailable, match="all connections wait"):
            impatient.check()
    impatient.check()


@sqlite
def test_a_lock_of_another_is_waited_for_with_an_end_and_by_no_reader(impatient: Database, database_url: str) -> None:
    def writes(_: int) -> bool:
        try:
            with impatient.transaction() as session:
                session.execute(text("SELECT 1"))
        except DatabaseUnavailable:
            return False
        return True

    n_writers = 2 * MAX_CONNECTIONS
    with closing(Database(database_url)) as other, ThreadPoolExecutor(n_writers) as threads:
        with other.transaction() as session, soon():
            session.execute(text("SELECT 1"))
            waiting = threads.map(writes, range(n_writers))
            for _ in range(20):
                impatient.check()
            assert list(waiting) == [False] * n_writers
        assert writes(0)
