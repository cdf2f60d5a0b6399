"""Jobs: submit, list, read, follow, cancel."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Query, Response, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.core import access, errors, jobs
from app.core.access import Scope
from app.core.catalog import check_alias, check_name
from app.core.catalog.removal import delete_job
from app.core.errors import StorageUnavailable
from app.core.names import Name
from app.core.payloads import Publication
from app.core.records import JobState
from app.jobs.described import JobDescription, JobHistory, JobPage
from app.jobs.estimates import with_estimate
from app.jobs.kinds import KINDS
from app.jobs.kinds.evaluate import with_policy
from app.jobs.schemas import Submission
from app.jobs.streams import END, Beginning, beginning, event_of
from app.web.conditions import UNCHANGED, IfNoneMatch, unless_known
from app.web.dependencies import DatabaseDependency, SettingsDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import READ, TRAIN
from app.web.space import check_space

logger = structlog.get_logger()

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
        errors.MemoryShort,
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
    shape = None
    if found:
        check_space(storage, settings, 0)
        with suppress(StorageUnavailable):  # the job waits for the storage, and then finds out
            shape = kind.check(submission, found, storage)
    with database.transaction() as session:
        job = jobs.earlier(session, idempotency)
        if job is None:
            request = with_policy(session, kind.request(submission, kind.find(session, submission, hold=True)))
            request = with_estimate(session, request, shape, settings, storage)
            access.check_name(request.model)
            if publication and request.model:
                check_name(session, request.kind, request.model)
            job = jobs.submit(session, replace(request, priority=submission.priority), idempotency)
    logger.info("job submitted", action="job_submitted", job=job.id, kind=job.kind, model=job.model)
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
    "/jobs",
    operation_id="list_jobs",
    openapi_extra=READ,
    response_model=JobPage,
    responses=UNCHANGED | problem_responses(errors.DatabaseUnavailable),
)
def list_jobs(
    response: Response,
    database: DatabaseDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(description="the last id of the page before")] = None,
    state: Annotated[JobState | None, Query()] = None,
    model: Annotated[Name | None, Query(description="that the jobs are for", examples=["bible"])] = None,
    owner: Annotated[str | None, Query(max_length=100, description="whose jobs, as a job says it")] = None,
    if_none_match: IfNoneMatch = None,
) -> JobPage | Response:
    """List jobs, newest first."""
    with database.reading() as session:
        found = jobs.page(session, limit=limit + 1, before=before, state=state, model=model, owner=owner)
    page = [JobDescription.of(job) for job in found[:limit]]
    listed = JobPage(jobs=page, next=page[-1].id if len(found) > limit else None)
    return unless_known(listed, if_none_match, response)


@router.get(
    "/jobs/{id}",
    operation_id="get_job",
    openapi_extra=READ,
    response_model=JobDescription,
    responses=UNCHANGED | problem_responses(errors.JobNotFound, errors.DatabaseUnavailable),
)
def read(
    id: str,  # noqa: A002 (the path's own name)
    response: Response,
    database: DatabaseDependency,
    if_none_match: IfNoneMatch = None,
) -> JobDescription | Response:
    """Read where a job is. Who has read it before sends its `ETag` and gets 304 while nothing has changed."""
    with database.reading() as session:
        job = JobDescription.of(jobs.get(session, id))
    return unless_known(job, if_none_match, response)


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


@router.get(
    "/jobs/{id}/events",
    operation_id="follow_job",
    openapi_extra=READ,
    response_class=EventSourceResponse,
    responses={
        204: {"description": "Last-Event-ID says that everything has been told"},
        **problem_responses(errors.JobNotFound, errors.StreamsBusy, errors.DatabaseUnavailable),
    },
)
async def follow(begun: Annotated[Beginning, Depends(beginning)]) -> AsyncIterator[ServerSentEvent]:
    """Follow a job as server-sent events until it ends.

    Each has the whole job as data and is named by the job's state; the last one is named `end`. Changes of state, steps
    and every fiftieth of the progress are events with ids, which are kept until seven days after the job's end, the
    newest 300 of a job: after the one that Last-Event-ID names a stream that was cut goes on in any process. Without it
    a stream begins with where the job is. What is told between two events has no id.
    """
    for told in begun.told:
        yield event_of(told)
    told = begun.now
    if told.state not in jobs.ENDED:
        async for told in begun.listener.told():
            yield event_of(told)
            if told.state in jobs.ENDED:
                break
        else:
            return  # the process ends, or who asks may not know more
    yield ServerSentEvent(raw_data=told.content, event=END, id=END)
