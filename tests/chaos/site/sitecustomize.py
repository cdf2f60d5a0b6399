"""Python imports this at the start of every process that has this folder on its path, of a job's process, too."""

from tests.chaos import writes

writes.install()
