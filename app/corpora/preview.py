"""How the beginning of a corpus will be read."""

from __future__ import annotations

from app.core.errors import CorpusNotFound
from app.core.records import Corpus
from app.core.storage import Storage
from app.core.text import TextSpec
from app.corpora.schemas import CorpusPreview
from app.web.beginning import read_beginning

PREVIEW_LINES = 10
MAX_SHOWN_WORDS = 100


def preview(corpus: Corpus, spec: TextSpec, storage: Storage) -> CorpusPreview:
    """How the first lines of a corpus will be read, at most `MAX_SHOWN_WORDS` words of each."""
    sample = read_beginning(storage, corpus, spec, n_lines=PREVIEW_LINES)
    if sample is None:
        raise CorpusNotFound(f"The text of {corpus.name!r} is not in storage; upload it again.", corpus=corpus.name)
    lines = [words[:MAX_SHOWN_WORDS] for words in sample.lines]
    return CorpusPreview.model_validate({"corpus": corpus.name, "text": spec, **sample._asdict(), "lines": lines})
