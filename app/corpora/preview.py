"""How the beginning of a corpus will be read."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.errors import CorpusNotFound, FileNotFound
from app.core.records import Corpus, File
from app.core.storage import Storage
from app.core.text import TextSpec
from app.core.text.tokenizers import Resources
from app.corpora.schemas import CorpusPreview
from app.corpora.tokenised import tokenised
from app.web.beginning import read_beginning, read_resources

PREVIEW_LINES = 10
MAX_SHOWN_WORDS = 100


def preview(corpus: Corpus, spec: TextSpec, files: Mapping[str, File], storage: Storage) -> CorpusPreview:
    """How the first lines of a corpus will be read, at most `MAX_SHOWN_WORDS` words of each.

    `files` are those that text is read with, by the names that they get as resources.
    """
    options = spec.options
    if options:
        options.check_installed()
    sample = read_beginning(storage, corpus, spec, n_lines=PREVIEW_LINES)
    if sample is None:
        raise CorpusNotFound(f"The text of {corpus.name!r} is not in storage; upload it again.", corpus=corpus.name)
    lines, learned_from = sample.lines, None
    if options and lines:
        lines = tokenised(sample.raw, spec, _resources(files, storage), PREVIEW_LINES)
        if options.is_learned and not files:
            learned_from = "corpus" if sample.is_whole else "sample"
    told = {"corpus": corpus.name, "text": spec, "learned_from": learned_from, **sample._asdict()}
    return CorpusPreview.model_validate(told | {"lines": [words[:MAX_SHOWN_WORDS] for words in lines]})


def _resources(files: Mapping[str, File], storage: Storage) -> Resources:
    found = read_resources(files, storage, "tokenizer")
    if missing := [file.name for resource, file in files.items() if resource not in found]:
        raise FileNotFound(f"The file {missing[0]!r} is not in storage; upload it again.", file=missing[0])
    return found
