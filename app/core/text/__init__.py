"""How text becomes words: the spec that a version records, and the one function that corpus and queries share."""

from app.core.text.reader import TextReader, without_surrogates
from app.core.text.spec import JsonLines, PlainText, TextSpec

__all__ = ["JsonLines", "PlainText", "TextReader", "TextSpec", "without_surrogates"]
