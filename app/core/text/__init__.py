"""How text becomes words: the spec that a version records, and the one function that corpus and queries share."""

from app.core.text.formats import Csv, JsonLines, Parquet, PlainText, Tokens, Tsv
from app.core.text.reader import TextReader, without_surrogates
from app.core.text.spec import TextSpec

__all__ = [
    "Csv",
    "JsonLines",
    "Parquet",
    "PlainText",
    "TextReader",
    "TextSpec",
    "Tokens",
    "Tsv",
    "without_surrogates",
]
