"""Files of vectors become versions that are asked here."""

from tests.trainer.importing.conftest import read

__all__ = ["read"]
