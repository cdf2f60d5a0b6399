"""The keys as a process knows them: looked at in the database now and then, never for a request of a known key."""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from app.core.access import NOBODY, Caller, Scope, audit, keys
from app.core.access.quota import Quota
from app.core.database import Database
from app.core.errors import DatabaseUnavailable, KeyInvalid, KeyRequired
from app.core.settings import Settings

POLL_SECONDS = 5.0
"""A key that is revoked elsewhere is good here for no longer, unless the database does not answer."""
MISS_SECONDS = 1.0
"""How often an unknown key may make us look again: one that was just made is known at once, guesses cost little."""
NOTE_SECONDS = 60.0
"""How often is written when keys were last used."""
FORGET_SECONDS = 3600.0
"""How often old entries of the audit are deleted."""
STOP_SECONDS = 1.0
BEARER = b"bearer "
UNKNOWN = (NOBODY, b"")
"""What no digest is equal to."""

logger = structlog.get_logger()


class Keyring:
    """Says who a token belongs to. `start` and `stop` belong to the process's start and end."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._known: dict[bytes, tuple[Caller, bytes]] = {}
        self._everybody = Caller(Scope.ADMIN, quota=Quota.of_nobody(settings))
        self._secret = b""
        self._is_open = False
        self._has_keys: bool | None = None  # not known before the first look
        self._failed: DatabaseUnavailable | None = None
        self._looking = threading.Lock()
        self._looked_at = -MISS_SECONDS
        self._finding = ThreadPoolExecutor(1, "keyring-find")
        self._used: dict[str | None, float] = {}
        self._noted_at = self._forgot_at = time.monotonic()
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="keyring", daemon=True)

    def start(self) -> None:
        self._poller.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._poller.is_alive():
            self._poller.join(STOP_SECONDS)
        self._finding.shutdown(wait=False, cancel_futures=True)

    @property
    def is_ready(self) -> bool:
        """Whether it is known which keys there are."""
        return self._has_keys is not None

    @property
    def is_useless(self) -> bool:
        """Whether there is nobody who could be let in."""
        return self._has_keys is False and not self._settings.allows_anonymous

    def known(self, authorization: bytes | None) -> Caller | None:
        """Who sends this header, as far as that is known without a look; everybody where no key is needed."""
        if self._is_open:
            return self._everybody
        if authorization is None or authorization[: len(BEARER)].lower() != BEARER:
            return None
        token = authorization[len(BEARER) :]
        caller, digest = self._known.get(token[keys.ID], UNKNOWN)
        if not hmac.compare_digest(keys.digest(self._secret, token), digest) or caller.is_over:
            return None
        self._used[caller.key_id] = time.time()
        return caller

    async def find(self, authorization: bytes | None) -> Caller:
        """Who sends a header that is not known yet; it may be a key that was made a moment ago.

        Raises
        ------
        KeyRequired, KeyInvalid
        DatabaseUnavailable
            It has not yet said which keys there are.
        """
        if self._has_keys is None:
            await self._look_again()
        if (found := self.known(authorization)) is not None:
            return found
        if authorization is None or authorization[: len(BEARER)].lower() != BEARER:
            raise KeyRequired
        token = authorization[len(BEARER) :]
        if keys.TOKEN.fullmatch(token) and token[keys.ID] not in self._known:
            await asyncio.sleep(self._looked_at + MISS_SECONDS - time.monotonic())
            with suppress(DatabaseUnavailable):  # what is known stays good
                await self._look_again()
        if (found := self.known(authorization)) is not None:
            return found
        raise KeyInvalid

    async def _look_again(self) -> None:
        """One look answers all who asked before it."""
        asked_at = time.monotonic()
        await asyncio.get_running_loop().run_in_executor(self._finding, lambda: self.refresh(since=asked_at))

    def refresh(self, *, since: float | None = None) -> None:
        """Look which keys there are now, or at any moment `since` the one given; raises `DatabaseUnavailable`."""
        with self._looking:
            if since is None or self._looked_at < since:
                self._failed = None
                try:
                    self._look()
                except DatabaseUnavailable as error:
                    self._failed = error
                self._looked_at = time.monotonic()
            if self._failed:
                raise DatabaseUnavailable(self._failed.detail)

    def _look(self) -> None:
        with self._database.reading() as session:
            secret = keys.secret_of(session, self._settings.key_secret)
            has_keys, found = keys.exist(session), keys.valid(session, self._settings)
        for key_id, (caller, _) in self._known.items():  # which answers that are being given have, too
            if key_id in found:
                new, digest = found[key_id]
                caller.ends_at = new.ends_at
                found[key_id] = caller, digest
            else:
                caller.revoke()
        self._secret, self._known, self._has_keys = secret, found, has_keys
        self._is_open = not has_keys and self._settings.allows_anonymous

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
                self.keep_house()
            except DatabaseUnavailable:
                pass  # the registry says so already
            except Exception as error:
                logger.exception("keys not read", action="keyring_poll_failed", exc_info=error)
            self._stopping.wait(POLL_SECONDS)
        with suppress(DatabaseUnavailable):
            self._note_use()

    def keep_house(self, *, always: bool = False) -> None:
        """Write when keys were used, and delete what is old, each if it was long ago; raises `DatabaseUnavailable`."""
        moment = time.monotonic()
        if always or moment - self._noted_at >= NOTE_SECONDS:
            self._noted_at = moment
            self._note_use()
        if always or moment - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = moment
            with self._database.transaction() as session:
                audit.forget(session, self._settings.audit_days)

    def _note_use(self) -> None:
        used, self._used = self._used, {}
        if used:
            with self._database.transaction() as session:
                keys.note_use(session, {str(key): datetime.fromtimestamp(at, UTC) for key, at in used.items()})
