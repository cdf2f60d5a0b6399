"""How the beginning of a corpus will be read."""

from __future__ import annotations

from app.core.errors import CorpusNotFound
from app.core.records import Corpus
from app.core.storage import Storage
from app.core.text import TextSpec
from app.core.text.sample import SAMPLE_BYTES, read_sample
from app.corpora.schemas import CorpusPreview

PREVIEW_LINES = 10
MAX_SHOWN_WORDS = 100


def preview(corpus: Corpus, spec: TextSpec, storage: Storage) -> CorpusPreview:
    """How the first lines of a corpus will be read, at most `MAX_SHOWN_WORDS` words of each."""
    n_bytes = min(corpus.n_bytes, SAMPLE_BYTES)
    content = storage.beginning(corpus.key, n_bytes)
    if content is None:
        raise CorpusNotFound(f"The text of {corpus.name!r} is not in storage; upload it again.", corpus=corpus.name)
    sample = read_sample(content, spec, is_whole=n_bytes == corpus.n_bytes, n_lines=PREVIEW_LINES)
    lines = [words[:MAX_SHOWN_WORDS] for words in sample.lines]
    return CorpusPreview.model_validate({"corpus": corpus.name, "text": spec, **sample._asdict(), "lines": lines})
