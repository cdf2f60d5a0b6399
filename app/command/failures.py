"""What goes wrong on a command line and can be mended by who typed it: one line, no traceback."""


class ServiceError(Exception):
    """The service answered with a problem, or not at all."""


class ServiceDied(Exception):
    """A process of the service ended by itself."""
