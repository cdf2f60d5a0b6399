"""``python -m app``: settings -> API. The order of the imports is that of the work: versions load during the last."""

from __future__ import annotations

from app import tuning

BACKLOG = 2048
DRAIN_SECONDS = 8


def main() -> None:
    tuning.for_start()
    from app.core.parent import end_with_parent
    from app.core.settings import Settings
    from app.resources import Resources

    end_with_parent()
    settings = Settings.of_process()
    resources = Resources(settings)
    import uvicorn

    from app.main import create_app
    from app.web.protocol import HttpProtocol

    app = create_app(settings, resources)
    tuning.for_serving()
    uvicorn.run(
        app,
        http=HttpProtocol,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
        # without a limit an open event stream would keep the process from ending
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
