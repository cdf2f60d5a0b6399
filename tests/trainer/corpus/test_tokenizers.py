"""A corpus that is read by a tokenizer: pieces that are learned of it, lines that are read in other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pytest

from app.core.errors import CorpusNotText, TokenizerNotLearned
from app.core.text import TextReader, TextSpec
from app.core.text.sample import read_tokenised
from app.core.text.spec import NEWEST_RULES
from app.core.text.tokenizers.sentencepiece import MODEL
from trainer.corpus.blocks import BlockReader
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.corpus.pieces import learn_pieces
from trainer.corpus.source import open_text
from trainer.steps.progress import Progress

pytest.importorskip("sentencepiece")
pytest.importorskip("mecab")

TEXT = "학교에서 봤다\n\n학교를 보았다 NEWEST lower low\n" * 40 + "lowest 학교가 low ㅋㅋㅋ ㅇㅏ"


def source(folder: Path, content: bytes) -> Path:
    path = folder / "corpus.txt"
    path.write_bytes(content)
    return path


def spec_of(tokenizer: Any, **said: Any) -> TextSpec:
    return TextSpec.model_validate({"tokenizer": tokenizer, **said})


def lines_of(corpus: EncodedCorpus) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    for word_id in corpus.ids.tolist():
        if word_id < 0:
            lines.append([])
        else:
            lines[-1].append(corpus.vocabulary.word(word_id))
    return lines[:-1]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_pieces_are_learned_of_the_corpus_the_same_ones_for_any_threads(model_type: str, tmp_path: Path) -> None:
    spec = spec_of({"kind": "sentencepiece", "n_pieces": 300, "model_type": model_type}, rules=NEWEST_RULES)
    path = source(tmp_path, TEXT.encode())
    options: Any = spec.options
    model = learn_pieces(path, tmp_path, spec, options, 1)
    seen: list[Progress] = []
    assert model == learn_pieces(path, tmp_path, spec, options, 2, seen.append)
    assert [progress.fraction for progress in seen[-1:]] == [0.5], "the library does not tell how far it is"
    corpus = encode(path, tmp_path, spec=spec, min_count=1, resources={MODEL: model})
    reader = TextReader(spec, {MODEL: model})
    assert lines_of(corpus) == [words for line in TEXT.split("\n") if (words := reader.words(line))]
    previewed = read_tokenised(TEXT, spec, {}, 3)
    assert previewed == [reader.words(line) for line in TEXT.split("\n") if line][:3], "of all that there is"
    for word in ("newest", "ㅋㅋㅋ", "ㅇㅏ"):  # which the library's own normaliser would make ᄏᄏᄏ and 아
        assert "".join(reader.words(word)).replace("##", "").replace("\u2581", "") == word


def test_lines_are_read_whole_and_the_same_in_other_processes(tmp_path: Path) -> None:
    spec = spec_of("mecab-ko")
    path = source(tmp_path, TEXT.encode())
    seen: list[Progress] = []
    here, there = (
        encode(path, tmp_path, spec=spec, min_count=1, threads=threads, report=seen.append) for threads in (1, 2)
    )
    assert any(progress.tokens_per_second for progress in seen)
    reader = TextReader(spec)
    expected = [words for line in TEXT.split("\n") if (words := reader.words(line))]
    assert lines_of(here) == expected
    assert lines_of(there) == expected
    assert here.vocabulary.words() == there.vocabulary.words()


def test_rows_are_read_by_a_tokenizer_too(tmp_path: Path) -> None:
    spec = spec_of("mecab-ko", format={"kind": "tsv", "column": "text"})
    path = source(tmp_path, "id\ttext\n1\t학교에서\n2\t바다가\n".encode())
    corpus = encode(path, tmp_path, spec=spec, min_count=1)
    assert lines_of(corpus) == [["학교"], ["바다"]]
    assert corpus.rows["n_rows"] == 2


def test_a_corpus_that_no_pieces_can_be_learned_of_says_why(tmp_path: Path) -> None:
    spec = spec_of({"kind": "sentencepiece", "n_pieces": 300, "character_coverage": 1.0})
    options: Any = spec.options
    many = " ".join(chr(0xAC00 + i) for i in range(100))
    with pytest.raises(TokenizerNotLearned, match=r"are \d+ pieces already, more than n_pieces \(300\)"):
        learn_pieces(source(tmp_path, many.encode()), tmp_path, spec, options, 1)
    with pytest.raises(CorpusNotText, match="byte 3 is the first wrong one"):
        learn_pieces(source(tmp_path, b"low\xff"), tmp_path, spec, options, 1)
    with pytest.raises(TokenizerNotLearned, match="too small, or has no words"):
        learn_pieces(source(tmp_path, b"\n"), tmp_path, spec, options, 1)


def test_text_that_is_not_utf8_is_told_by_its_byte(tmp_path: Path) -> None:
    with pytest.raises(CorpusNotText, match="byte 8 is the first wrong one"):
        encode(source(tmp_path, b"low\nlow \xff"), tmp_path, spec=spec_of("mecab-ko"), min_count=1, threads=1)


class Told:
    """A file that remembers where it was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.places = file, list[int]()

    def tell(self) -> int:
        self.places.append(self._file.tell())
        return self.places[-1]


def test_how_far_it_is_is_told_before_a_block_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The morphemes of a small corpus may take minutes, and fit into one block."""
    monkeypatch.setattr("trainer.corpus.lines.CHUNK_BYTES", 64)
    monkeypatch.setattr("trainer.corpus.source._BUFFER_BYTES", 64)
    path = source(tmp_path, TEXT.encode())
    with open_text(path, TextReader(spec_of("mecab-ko"))) as opened:
        told: Any = Told(opened.file)
        blocks = BlockReader(opened.stream, told, 1 << 16, 1 << 15)
        block = blocks.read(blocks.new_buffer())
    assert block is not None
    assert block.number == 0
    assert len(set(told.places)) > 5
    assert opened.tokenised is not None
    assert opened.tokenised.tokens_per_second is not None
