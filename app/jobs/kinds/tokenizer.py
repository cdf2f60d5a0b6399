"""What a tokenizer needs, here and of what was uploaded."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.errors import InvalidRequest
from app.core.records import File
from app.core.storage import Storage
from app.core.text import TextReader, TextSpec
from app.web.beginning import read_resources


def check_tokenizer(spec: TextSpec) -> None:
    """Raise `ExtraMissing`, or `InvalidRequest` for one that is made of a corpus or of files."""
    if isinstance(spec.stop_words, str) or spec.phrases:
        raise InvalidRequest("text: only a training finds phrases, and reads stop words of a file.")
    if spec.options is None:
        return
    if spec.options.is_learned or spec.options.files():
        raise InvalidRequest(f"text.tokenizer: {spec.options.kind!r} is made by a training; imports take others.")
    spec.options.check_installed()


def check_with_files(spec: TextSpec, files: Mapping[str, File], storage: Storage) -> None:
    """See that the library is there, and that the files are what it can read.

    Raises
    ------
    ExtraMissing, TokenizerUnusable, InvalidRequest
    """
    options = spec.options
    if options:
        options.check_installed()
    resources = read_resources(files, storage, "text")
    if len(resources) < len(files):
        return  # the job waits for the storage, and then finds out
    if options and options.files():
        options.check_resources(resources)
    TextReader(spec.model_copy(update={"tokenizer": "whitespace", "phrases": None}), resources)
