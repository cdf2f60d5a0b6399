"""The rows that name things: models with their versions and aliases; corpora and files with their revisions."""

from app.core.catalog.models import (
    LATEST,
    PublishedVersion,
    Revision,
    alias_history,
    base_of,
    check_alias,
    existing,
    get_alias,
    get_model,
    get_version,
    list_aliases,
    list_models,
    list_versions,
    move_alias,
    serving_state,
    sizes,
    version_of,
)
from app.core.catalog.publishing import Made, Published, add_recovered, publish
from app.core.catalog.standing import check_name
from app.core.catalog.uploads import corpora, files

__all__ = [
    "LATEST",
    "Made",
    "Published",
    "PublishedVersion",
    "Revision",
    "add_recovered",
    "alias_history",
    "base_of",
    "check_alias",
    "check_name",
    "corpora",
    "existing",
    "files",
    "get_alias",
    "get_model",
    "get_version",
    "list_aliases",
    "list_models",
    "list_versions",
    "move_alias",
    "publish",
    "serving_state",
    "sizes",
    "version_of",
]
