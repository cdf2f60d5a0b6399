"""How text becomes words: the spec that a version records, and the one function that corpus and queries share."""

from app.core.text.reader import MAX_WORD_BYTES, TextReader, without_surrogates
from app.core.text.spec import JsonLines, PlainText, TextSpec

__all__ = ["MAX_WORD_BYTES", "JsonLines", "PlainText", "TextReader", "TextSpec", "without_surrogates"]
