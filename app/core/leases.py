"""Who is alive, by one's own clock: the database's may be set back or forward by an hour."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from app.core.records import Job, JobState


class _Seen(NamedTuple):
    expires_at: datetime
    since: float
    was_renewed: bool


class LeaseWatch:
    """What one worker has seen of the leases of all; looked at whenever it claims.

    A lease that stayed as it is for its whole length is dead, whatever its expiry says; one that was seen to be renewed
    within that time is alive. Of the others the database's clock says it.
    """

    def __init__(self, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._patient_until = -math.inf

    def look(self, session: Session) -> None:
        """Note what is held now, and since when."""
        held = select(Job.lease_token, Job.lease_expires_at).where(Job.state == JobState.RUNNING)
        moment, seen = self._clock(), {}
        for token, expires_at in session.execute(held):
            if token is None or expires_at is None:
                continue
            before = self._seen.get(token)
            if before is None or before.expires_at != expires_at:
                before = _Seen(expires_at, moment, was_renewed=before is not None)
            seen[token] = before
        self._seen = seen

    def look_away(self) -> None:
        """While the database was away nobody could renew: for the length of a lease from now on nobody is dead."""
        self._patient_until = self._clock() + self._lease_seconds
        self._seen = {}

    def is_dead(self, moment: datetime) -> ColumnElement[bool]:
        """Of a running job: nobody holds it any more."""
        if self._clock() < self._patient_until:
            return false()
        old = self._clock() - self._lease_seconds
        alive = [token for token, seen in self._seen.items() if seen.was_renewed and seen.since > old]
        dead = [
            and_(Job.lease_token == token, Job.lease_expires_at == seen.expires_at)
            for token, seen in self._seen.items()
            if seen.since <= old
        ]
        return or_(and_(Job.lease_expires_at < moment, Job.lease_token.not_in(alive)), *dead)
