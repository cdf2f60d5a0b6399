"""Jobs: submit, list, read, follow, cancel."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Response, status
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.core import access, errors, jobs
from app.core.access import Scope
from app.core.catalog import check_alias, check_name
from app.core.catalog.removal import delete_job
from app.core.errors import DatabaseUnavailable, StorageUnavailable
from app.core.names import Name
from app.core.payloads import Publication
from app.core.records import JobState
from app.jobs.described import JobDescription, JobHistory, JobPage
from app.jobs.kinds import KINDS
from app.jobs.kinds.evaluate import with_policy
from app.jobs.schemas import Submission
from app.jobs.streams import room
from app.web.dependencies import DatabaseDependency, SettingsDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import READ, TRAIN
from app.web.space import check_space

EVENT_POLL_SECONDS = 0.5
RETRY_MILLISECONDS = 2000
"""After which a browser asks again when a stream was cut."""
END = "end"

router = APIRouter(tags=["jobs"])


@router.post(
    "/jobs",
    operation_id="submit_job",
    openapi_extra=TRAIN,
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.CorpusNotFound,
        errors.BadRecord,
        errors.ExtraMissing,
        errors.TokenizerUnusable,
        errors.FileNotFound,
        errors.VectorsUnreadable,
        errors.EvaluationSetUnreadable,
        errors.ModelNotFound,
        errors.VersionNotFound,
        errors.NameTaken,
        errors.AliasReserved,
        errors.InvalidRequest,
        errors.IdempotencyConflict,
        errors.NotPermitted,
        errors.JobTooCostly,
        errors.QueueFull,
        errors.StorageFull,
        errors.DatabaseUnavailable,
    ),
)
def submit(
    submission: Submission,
    response: Response,
    database: DatabaseDependency,
    storage: StorageDependency,
    settings: SettingsDependency,
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="sending the same request again returns the first one's job")
    ] = None,
) -> JobDescription:
    """Queue a job. Everything is checked now, the first megabyte of what it reads too; what is accepted is never lost.

    The answer's `Location` is where to watch the job; when it has succeeded, `version` is the number of its result and
    the alias that `publish` names, by default `latest`, points there.
    """
    _check_priority(submission.priority)
    publication = getattr(submission, "publish", None)
    if publication and publication.alias:
        check_alias(publication.alias)
    idempotency = (_own(idempotency_key), _digest(submission)) if idempotency_key else None
    kind = KINDS[submission.kind]
    with database.reading() as session:
        is_new = jobs.earlier(session, idempotency) is None
        found = kind.find(session, submission, hold=False) if is_new else None
    if found:
        check_space(storage, settings, 0)
        with suppress(StorageUnavailable):  # the job waits for the storage, and then finds out
            kind.check(submission, found, storage)
    with database.transaction() as session:
        job = jobs.earlier(session, idempotency)
        if job is None:
            request = with_policy(session, kind.request(submission, kind.find(session, submission, hold=True)))
            access.check_name(request.model)
            if publication and request.model:
                check_name(session, request.kind, request.model)
            job = jobs.submit(session, replace(request, priority=submission.priority), idempotency)
    response.headers["Location"] = f"/jobs/{job.id}"
    return JobDescription.of(job)


def _check_priority(priority: int) -> None:
    if priority > 0 and access.current().scope < Scope.ADMIN:
        raise errors.NotPermitted(f"priority: {priority} needs a key of the scope 'admin'; 0 is usual.", scope="admin")


def _own(idempotency_key: str) -> str:
    """Each key of the service has idempotency keys of its own."""
    caller = access.current()
    return f"{caller.key_id} {idempotency_key}" if caller.key_id else idempotency_key


def _digest(submission: Submission) -> str:
    """What tells two requests apart; what a request can say only since a later release counts where it is said."""
    since = {"kind": "train", "index": "auto", "publish": Publication(), "align": True, "replicas": 1}
    since |= {"start": None, "continuable": False, "priority": 0}
    excluded = {name for name, unsaid in since.items() if getattr(submission, name, None) == unsaid}
    return hashlib.sha256(submission.model_dump_json(exclude=excluded).encode()).hexdigest()


@router.get(
    "/jobs", operation_id="list_jobs", openapi_extra=READ, responses=problem_responses(errors.DatabaseUnavailable)
)
def list_jobs(
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(description="the last id of the page before")] = None,
    state: Annotated[JobState | None, Query()] = None,
    model: Annotated[Name | None, Query(description="that the jobs are for", examples=["bible"])] = None,
    owner: Annotated[str | None, Query(max_length=100, description="whose jobs, as a job says it")] = None,
) -> JobPage:
    """List jobs, newest first."""
    with database.reading() as session:
        found = jobs.page(session, limit=limit + 1, before=before, state=state, model=model, owner=owner)
    page = [JobDescription.of(job) for job in found[:limit]]
    return JobPage(jobs=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/jobs/{id}",
    operation_id="get_job",
    openapi_extra=READ,
    responses=problem_responses(errors.JobNotFound, errors.DatabaseUnavailable),
)
def read(id: str, database: DatabaseDependency) -> JobDescription:  # noqa: A002 (the path's own name)
    """Read where a job is."""
    return _describe(id, database)


@router.delete(
    "/jobs/{id}",
    operation_id="delete_job",
    openapi_extra=TRAIN,
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.JobNotFound, errors.JobInUse, errors.DatabaseUnavailable),
)
def delete(id: str, database: DatabaseDependency) -> None:  # noqa: A002 (the path's own name)
    """Delete the record of a job that has ended; one that published a version stays as long as the version."""
    with database.transaction() as session:
        delete_job(session, id)


@router.get(
    "/jobs/{id}/history",
    operation_id="get_job_history",
    openapi_extra=READ,
    responses=problem_responses(errors.JobNotFound, errors.DatabaseUnavailable),
)
def history(id: str, database: DatabaseDependency) -> JobHistory:  # noqa: A002 (the path's own name)
    """Read the losses of a training, epoch by epoch, while it runs and afterwards."""
    with database.reading() as session:
        return JobHistory.model_validate({"epochs": jobs.get(session, id).history or []})


@router.post(
    "/jobs/{id}/cancel",
    operation_id="cancel_job",
    openapi_extra=TRAIN,
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(errors.JobNotFound, errors.JobFinished, errors.DatabaseUnavailable),
)
def cancel(id: str, database: DatabaseDependency) -> JobDescription:  # noqa: A002 (the path's own name)
    """Cancel a job: a queued one at once, a running one within about two seconds."""
    with database.transaction() as session:
        return JobDescription.of(jobs.cancel(session, id))


def _describe(id: str, database: DatabaseDependency) -> JobDescription:  # noqa: A002 (the path's own name)
    with database.reading() as session:
        return JobDescription.of(jobs.get(session, id))


def _unless_all_told(
    job: Annotated[JobDescription, Depends(_describe)],
    last_event_id: Annotated[str | None, Header(description="where an earlier stream has ended")] = None,
) -> JobDescription:
    """Answer 204 to a browser that has the `end` already: by that alone its EventSource asks no more."""
    if last_event_id == END and job.state in jobs.ENDED:
        raise HTTPException(status.HTTP_204_NO_CONTENT)
    return job


@router.get(
    "/jobs/{id}/events",
    operation_id="follow_job",
    openapi_extra=READ,
    response_class=EventSourceResponse,
    dependencies=[Depends(room)],
    responses={
        204: {"description": "Last-Event-ID says that everything has been told"},
        **problem_responses(errors.JobNotFound, errors.StreamsBusy, errors.DatabaseUnavailable),
    },
)
async def follow(
    job: Annotated[JobDescription, Depends(_unless_all_told)],
    database: DatabaseDependency,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job as server-sent events until it ends.

    Each has the whole job as data and is named by the job's state; the last one is named `end`. A stream that was cut
    goes on after the event that Last-Event-ID names.
    """
    while True:
        content = job.model_dump_json()
        event_id = hashlib.sha256(content.encode()).hexdigest()[:16]
        if event_id != last_event_id:
            yield ServerSentEvent(raw_data=content, event=job.state.value, id=event_id, retry=RETRY_MILLISECONDS)
        if job.state in jobs.ENDED:
            yield ServerSentEvent(raw_data=content, event=END, id=END)
            return
        last_event_id = event_id
        await asyncio.sleep(EVENT_POLL_SECONDS)
        with suppress(DatabaseUnavailable):  # the job goes on meanwhile, and so does the stream
            job = await run_in_threadpool(_describe, job.id, database)
