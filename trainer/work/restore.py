"""A bundle becomes a version again, with the very bytes of its manifest wherever its index can be made anew."""

from __future__ import annotations

from pathlib import Path

from app.core.payloads import ImportPayload
from app.core.table.digests import digest_files, digest_of
from app.core.table.limits import IndexLimits
from app.core.table.manifest import (
    FORMAT_VERSION,
    INDEX_FILE,
    MANIFEST_FILE,
    IndexDescription,
    RowReport,
    Written,
    describe,
    write_manifest,
)
from app.core.table.reading import Table
from trainer.importing.bundle import unpack
from trainer.publishing.graph import parameters_like
from trainer.publishing.index import build_index
from trainer.steps.progress import Progress, Report
from trainer.work.context import Context
from trainer.work.messages import Publishes
from trainer.work.published import evaluated
from trainer.work.stored import check_content, store_version


def restore(path: Path, payload: ImportPayload, context: Context, phases: tuple[str, str]) -> Publishes:
    """Unpack, verify and store; `phases` are reading and publishing."""
    report = context.report(phases[0])
    check_content(payload.file, digest_of(path))
    report(Progress(0.5))
    folder = context.scratch / "version"
    folder.mkdir()
    table, said = unpack(path, folder)
    written = _indexed(folder, table, said, payload, context.report(phases[1]), context.threads)
    n_words = written.manifest.n_words
    rows = RowReport(unit="row", n_rows=n_words, n_words=n_words, found=[])
    told = {"format": "native", "rows": rows.model_dump(mode="json"), "identical": written.content == said.content}
    stored = store_version(context.storage, context.prefix, folder, written, told)
    return evaluated(context, folder, stored, written.manifest, payload.evaluate)


def _indexed(
    folder: Path, table: Table, said: Written, payload: ImportPayload, report: Report, threads: int
) -> Written:
    """With an index that was built here: one from elsewhere is compared, and never opened."""
    index = said.manifest.index
    if index.kind == "flat" and payload.index != "graph":
        return said
    requested = index.requested or "auto" if payload.index == "auto" else payload.index
    (folder / INDEX_FILE).unlink(missing_ok=True)
    built = build_index(
        folder,
        table.unit_vectors,
        IndexLimits(requested),
        report,
        threads=threads,
        parameters=parameters_like(index.parameters),
    )
    (folder / MANIFEST_FILE).unlink()
    files = digest_files(folder)
    if files == said.manifest.files and _measured(built) == _measured(index):
        (folder / MANIFEST_FILE).write_bytes(said.content)
        return said
    changed = {"index": built, "files": files, "format_version": FORMAT_VERSION, "arrays": describe(table.arrays)}
    return write_manifest(folder, said.manifest.model_copy(update=changed))


def _measured(index: IndexDescription) -> tuple[object, ...]:
    """What is the same wherever the index is built: all but times and the request."""
    sums = index.sums and (index.sums.ef_search, index.sums.recall_at_10)
    return index.kind, index.parameters, index.recall_at_10, sums
