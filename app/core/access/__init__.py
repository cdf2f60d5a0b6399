"""Who asks, and what their key allows. What serves no request, such as a trainer, may do everything."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from app.core.access.quota import Quota
from app.core.errors import NotPermitted
from app.core.names import composed

ScopeName = Literal["read", "train", "admin"]
Grant = Annotated[str, StringConstraints(pattern=r"^[\w*?][\w.\-*?]*$", max_length=100), AfterValidator(composed)]
"""A name in which ``*`` stands for any characters and ``?`` for one."""


def _pattern(grants: Sequence[str]) -> str:
    """One expression that Python, SQLite and PostgreSQL read alike."""
    signs = {"*": ".*", "?": ".", ".": r"\."}
    globs = ["".join(signs.get(sign, sign) for sign in each) for each in grants]
    return f"^({'|'.join(globs)})$" if globs else "^$"


class Scope(IntEnum):
    """What a key may do; each scope has those before it."""

    NONE = 0
    READ = 1
    TRAIN = 2
    ADMIN = 3


class Caller:
    """Who asks. Made once for a key and shared by all its requests.

    Parameters
    ----------
    scope : what they may do
    grants : globs of the names that they may know; None for all names
    key_id, name : of the key; None without one
    quota : how much they may take
    ends_at : Unix time at which the key expires
    """

    def __init__(
        self,
        scope: Scope,
        grants: Sequence[str] | None = None,
        *,
        key_id: str | None = None,
        name: str | None = None,
        quota: Quota = Quota(),  # noqa: B008 (it never changes)
        ends_at: float | None = None,
    ) -> None:
        self.scope = scope
        self.key_id = key_id
        self.name = name
        self.quota = quota
        self.grants = grants
        self.ends_at = ends_at
        self._is_revoked = False
        self._pattern = None if grants is None else re.compile(_pattern(grants))

    @property
    def is_over(self) -> bool:
        """Whether the key has ended, also in the middle of an answer."""
        return self._is_revoked or (self.ends_at is not None and time.time() >= self.ends_at)

    @property
    def owner(self) -> str | None:
        """What their jobs and uploads have; None without a key."""
        return self.quota.owner

    @property
    def sees_all(self) -> bool:
        return self._pattern is None

    def revoke(self) -> None:
        self._is_revoked = True

    def sees(self, name: str | None) -> bool:
        """Whether something of this name is there for them."""
        if self.is_over:
            return False
        return self._pattern is None or (name is not None and self._pattern.fullmatch(name) is not None)

    def among(self, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The condition that a column has a name which they see."""
        return true() if self._pattern is None else column.regexp_match(self._pattern.pattern)


EVERYBODY = Caller(Scope.ADMIN)
"""Who asks where no key is needed, and what asks inside a process."""
NOBODY = Caller(Scope.NONE, ())

_caller: ContextVar[Caller] = ContextVar("caller", default=EVERYBODY)


def current() -> Caller:
    return _caller.get()


enter, leave = _caller.set, _caller.reset
"""Act on behalf of a caller, also on the threads that work is handed to with its context; and no longer."""


@contextmanager
def acting_as(caller: Caller) -> Iterator[None]:
    token = enter(caller)
    try:
        yield
    finally:
        leave(token)


def sees(name: str | None) -> bool:
    return _caller.get().sees(name)


def check_name(name: str | None) -> None:
    """Raise `NotPermitted` for a name that the caller may give to nothing."""
    if not sees(name):
        raise NotPermitted(f"The key does not allow the name {name!r}.", name=name)


def check_unlimited() -> None:
    """Raise `NotPermitted` for a key of certain names, where all names are meant."""
    if not _caller.get().sees_all:
        raise NotPermitted("This needs a key for all names.")
