"""``python -m app``: settings -> API. The order of the imports is that of the work: versions load during the last."""

from __future__ import annotations

import sys

from app import tuning


def main() -> None:
    tuning.for_start()
    from app.core.errors import StorageUnavailable, reason
    from app.core.parent import end_with_parent
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
    from app.main import create_app
    from app.web.server import serve

    app = create_app(settings, resources)
    tuning.for_serving()
    serve(app, host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
