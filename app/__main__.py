"""``python -m app``: settings -> API. The order of the imports is that of the work: versions load during the last."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from app import tuning

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.resources import Resources


def main() -> None:
    tuning.for_start()
    from app.core.errors import StorageUnavailable, reason
    from app.core.parent import FLAG, end_with_parent
    from app.core.settings import Settings
    from app.resources import Resources

    end_with_parent()
    settings = Settings.of_process()
    try:
        resources = Resources(settings)
    except StorageUnavailable as error:
        sys.exit(f"error: {error.detail}")
    except OSError as error:  # a folder that cannot be made
        sys.exit(f"error: {error.filename}: {reason(error)}")
    if not settings.allows_anonymous:
        _need_a_key(settings, resources)
    from app.main import create_app
    from app.web.server import serve

    app = create_app(settings, resources)
    if FLAG in sys.argv:  # a trainer starts beside it, which takes longer: jobs will be sent, not only searches
        app.state.later.add()
    tuning.for_serving()
    serve(app, settings)


def _need_a_key(settings: Settings, resources: Resources) -> None:
    """End a process that others can reach and that nobody may ask; while the database is silent, it asks for keys."""
    from app.core.errors import DatabaseUnavailable

    with suppress(DatabaseUnavailable):
        resources.keyring.refresh()
    if resources.keyring.is_useless:
        resources.close()  # whose threads would go on telling what they do
        sys.exit(
            f"error: {settings.host} can be reached by others, and there is no key. Make one with: "
            "wordkin keys create NAME --scope admin; or let everybody in with WORDKIN_ALLOW_ANONYMOUS=true."
        )


if __name__ == "__main__":
    main()
