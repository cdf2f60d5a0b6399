"""``GET /models/{model}/versions/{version}/export``: a version as a file of another program's format."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack
from hashlib import blake2b
from importlib.metadata import version as version_of
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from obstore.exceptions import NotFoundError

from app.core import catalog, errors
from app.core.catalog import PublishedVersion
from app.core.database import Database
from app.core.errors import ExportsBusy, InvalidRequest, TableDamaged, VersionNotLoaded
from app.core.names import pinned_number
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.table.manifest import MANIFEST_FILE, TABLE_FILE, read_manifest
from app.core.table.stored import StoredTable
from app.core.vector_files import ExportFormat
from app.models.exports.formats import FORMATS, TAR
from app.models.exports.native import members_of
from app.models.exports.selection import Chosen, Rows, Selection
from app.models.exports.tar import size_of, tar_of
from app.models.schemas import ModelName, VersionName
from app.web.conditions import matches
from app.web.dependencies import DatabaseDependency, RegistryDependency, SettingsDependency, StorageDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

MAX_EXPORTS = 4
"""At a time, in one process: each holds some blocks of rows, and one that is not loaded a file on disk."""
_slots = threading.BoundedSemaphore(MAX_EXPORTS)

router = APIRouter(tags=["models"])


async def _slot() -> AsyncIterator[ExitStack]:
    """Room for one export, and what is closed when its answer has ended."""
    if not _slots.acquire(blocking=False):
        raise ExportsBusy
    try:
        with ExitStack() as opened:
            yield opened
    finally:
        _slots.release()


Slot = Annotated[ExitStack, Depends(_slot)]
Words = Annotated[
    str | None,
    Query(
        pattern=r"^(all|top:[1-9][0-9]{0,9})$",
        description="all, or the most frequent; all by default, but for projector top:10000",
        examples=["top:100000"],
    ),
]
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, streamed",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in sorted({form.media_type.partition(";")[0] for form in FORMATS.values()})
        },
    },
    304: {"description": "The client has this file"},
}


@router.get(
    "/models/{model}/versions/{version}/export",
    operation_id="export_version",
    openapi_extra=READ,
    response_class=StreamingResponse,
    responses={
        **CONTENT,
        **problem_responses(
            errors.ModelNotFound,
            errors.VersionNotFound,
            errors.VersionNotLoaded,
            errors.WordNotWritable,
            errors.ExtraMissing,
            errors.InvalidRequest,
            errors.ExportsBusy,
            errors.StorageUnavailable,
            errors.DatabaseUnavailable,
        ),
    },
)
def export(
    model: ModelName,
    version: VersionName,
    registry: RegistryDependency,
    database: DatabaseDependency,
    storage: StorageDependency,
    settings: SettingsDependency,
    opened: Slot,
    format: Annotated[ExportFormat, Query(description="of the file")],  # noqa: A002 (the parameter's name)
    words: Words = None,
    spaces: Annotated[
        Literal["error", "replace"],
        Query(description="what becomes of white space in words where the format cannot hold it; replace: _"),
    ] = "error",
    k: Annotated[int, Query(ge=1, le=50, description="of synonyms: how many a word gets at most")] = 10,
    min_score: Annotated[float, Query(ge=-1, le=1, description="of synonyms: the lowest cosine")] = 0.6,
    if_none_match: Annotated[str | None, Header(description="the ETag of a file that the client has")] = None,
) -> Response:
    """Read a version as a file, the most frequent words first; the same request gives the same bytes.

    Vectors are those that were trained or imported, float32; in text each number has the fewest digits that read back
    as the same. Counts are left out where the version does not know them. The answer has no digest of its body, which
    is made while it is sent; the `ETag` stands for the version, the format and what was asked.
    """
    form = FORMATS[format]
    top = form.top if words is None else None if words == "all" else int(words.removeprefix("top:"))
    chosen = Chosen(top, replaces_spaces=spaces == "replace", k=k, min_score=min_score)
    loaded = registry.loaded(model, version)
    published = loaded.published if loaded else _published(database, model, version)
    headers = {
        "ETag": _etag(published, f"{format} {form.release()}", chosen),
        "Cache-Control": "no-cache" if pinned_number(version) is None else "public, max-age=31536000, immutable",
    }
    if if_none_match is not None and matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if form.write is None:
        if top is not None:
            raise InvalidRequest("native is all of a version; words=top: is of other formats.")
        headers["Content-Disposition"] = _attachment(f"{model}-v{published.number}.{form.extension}")
        return _bundle(published, storage, headers)
    table: Rows = loaded.table if loaded else _stored(opened, published, storage, settings)
    selection = Selection(table, chosen, form.cannot_hold)
    selection.check()
    shown = "" if selection.n_words == table.manifest.n_words else f"-top{selection.n_words}"
    headers["Content-Disposition"] = _attachment(f"{model}-v{published.number}{shown}.{form.extension}")
    return StreamingResponse(form.write(selection), headers=headers, media_type=form.media_type)


def _bundle(published: PublishedVersion, storage: Storage, headers: dict[str, str]) -> Response:
    """The version's own files, whose size is known; raises `VersionNotLoaded` if the manifest is damaged."""
    try:
        members = members_of(published, storage)
    except TableDamaged as error:
        raise _not_exported(published, error.detail) from error
    sized = headers | {"Content-Length": str(size_of(members))}
    return StreamingResponse(tar_of(members), headers=sized, media_type=TAR)


def _published(database: Database, model: str, version: str) -> PublishedVersion:
    """The version that a number or an alias names; raises `ModelNotFound` or `VersionNotFound`."""
    with database.reading() as session:
        return PublishedVersion.of(catalog.version_of(session, model, version))


def _stored(opened: ExitStack, published: PublishedVersion, storage: Storage, settings: Settings) -> StoredTable:
    """Open the table of a version that is not loaded; nothing that is loaded makes room for it.

    Raises
    ------
    VersionNotLoaded
        It is damaged.
    """
    settings.cache.mkdir(parents=True, exist_ok=True)
    fetched = Path(mkdtemp(prefix="export-", dir=settings.cache))  # of its own: others may drop their copy meanwhile
    opened.callback(shutil.rmtree, fetched, ignore_errors=True)
    try:
        folder = storage.local_file(f"{published.prefix}/{MANIFEST_FILE}", fetched).parent
        manifest = read_manifest(folder, published.manifest_sha256)
        storage.local_file(f"{published.prefix}/{TABLE_FILE}", fetched)
        return opened.enter_context(StoredTable(folder, manifest))
    except (TableDamaged, NotFoundError, FileNotFoundError) as error:
        told = error.detail if isinstance(error, TableDamaged) else "A file of it is not in storage."
        raise _not_exported(published, told) from error


def _not_exported(published: PublishedVersion, why: str) -> VersionNotLoaded:
    return VersionNotLoaded(
        f"Version {published.number} of {published.model!r} cannot be exported: {why}",
        model=published.model,
        version=published.number,
    )


def _etag(published: PublishedVersion, name: str, chosen: Chosen) -> str:
    """Stands for the bytes; another release may write them otherwise."""
    said = f"{published.manifest_sha256} {name} {chosen} {version_of('wordkin')}"
    return f'"{blake2b(said.encode(), digest_size=12).hexdigest()}"'


def _attachment(name: str) -> str:
    """The header that names the file, in any script (RFC 6266)."""
    return f'attachment; filename="{name}"' if name.isascii() else f"attachment; filename*=UTF-8''{quote(name)}"
