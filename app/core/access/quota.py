"""How much a caller may take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.records import ApiKey
from app.core.settings import Settings


@dataclass(frozen=True)
class Quota:
    """Limits of a caller, and of all together; None for no limit.

    Parameters
    ----------
    owner : whose it is: the id of a key, or of the first one that it has replaced
    max_bytes, all_bytes : of uploads, with all their revisions
    max_jobs, all_jobs : that wait
    max_cost : of a training: tokens x epochs x dim
    """

    owner: str | None = None
    max_bytes: int | None = None
    all_bytes: int | None = None
    max_jobs: int | None = None
    all_jobs: int | None = None
    max_cost: int | None = None

    @classmethod
    def of_nobody(cls, settings: Settings) -> Quota:
        """Of who asks without a key."""
        all_bytes, all_jobs = settings.max_uploaded_bytes, settings.max_queued_jobs
        return cls(all_bytes=all_bytes, all_jobs=all_jobs, max_cost=settings.max_job_cost)

    def of_key(self, key: ApiKey, settings: Settings) -> Quota:
        """The same of a key, which may say more of itself."""
        return replace(
            self,
            owner=key.owner,
            max_bytes=_first(key.max_bytes, settings.max_uploaded_bytes_per_key),
            max_jobs=_first(key.max_jobs, settings.max_queued_jobs_per_key),
            max_cost=_first(key.max_cost, settings.max_job_cost),
        )


def _first(own: int | None, usual: int | None) -> int | None:
    return usual if own is None else own
