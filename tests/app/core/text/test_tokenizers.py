"""Tokenizers beside the plain ones: what they make of text, and what is recorded of them."""

from __future__ import annotations

import hashlib
import io
import random
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.errors import BadRecord, ExtraMissing, TokenizerUnusable
from app.core.text import TextReader, TextSpec
from app.core.text.pieces import learned
from app.core.text.sample import read_sample
from app.core.text.tokenizers import others
from app.core.text.tokenizers.morphemes import DICTIONARY
from app.core.text.tokenizers.sentencepiece import MODEL, SentencePiece

sentencepiece = pytest.importorskip("sentencepiece")
pytest.importorskip("mecab")
pytest.importorskip("icu4py")

KOREAN = "학교에서 봤는데 재미있었어요, AI반도체! ㅋㅋㅋ"
CHEAP: list[Any] = ["sentencepiece", "mecab-ko", {"kind": "icu", "locale": "th"}, "character-ngrams"]


def small_model() -> bytes:
    model = io.BytesIO()
    lines = ["low\t9", "lower\t7", "newest\t6", "widest\t5", "학교에서\t8", "학교를\t8"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        input_format="tsv",
        model_writer=model,
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


RESOURCES = {MODEL: small_model()}


def reader_of(tokenizer: Any, **said: Any) -> TextReader:
    return TextReader(TextSpec(tokenizer=tokenizer, **said), RESOURCES)


@pytest.mark.parametrize(
    ("tokenizer", "text", "words"),
    [
        ("mecab-ko", KOREAN, ["학교", "보", "재밌", "ai", "반도체", "ㅋㅋㅋ"]),
        ({"kind": "mecab-ko", "form": "surface"}, KOREAN, ["학교", "봤", "재미있", "ai", "반도체", "ㅋㅋㅋ"]),
        (
            {"kind": "mecab-ko", "tags": True, "drop": ["SF", "SC"]},
            "학교에서 봤다!",
            ["학교/NNG", "에서/JKB", "보/VV", "았/EP", "다/EF"],
        ),
        ({"kind": "icu", "locale": "th"}, "สวัสดีชาวโลก, hello", ["สวัสดี", "ชาว", "โลก", "hello"]),
        ({"kind": "icu", "locale": "zh"}, "我来到北京清华大学", ["我", "来到", "北京", "清华大学"]),
        ("character-ngrams", "北京大学 a i, 각", ["北京", "京大", "大学", "a", "i", "각"]),
        ({"kind": "character-ngrams", "n": 1}, "né", ["n", "é"]),
        ("sentencepiece", "LOWEST 학교에", ["low", "##est", "학교에"]),
        ("sentencepiece", "low\u1112\u1161\u11ab", ["low", "##<0xED>", "##<0x95>", "##<0x9C>"]),
    ],
)
def test_what_each_makes_of_text(tokenizer: Any, text: str, words: list[str]) -> None:
    assert reader_of(tokenizer).words(text) == words


def test_kiwi_reads_stems_and_surfaces_and_takes_a_dictionary() -> None:
    """One test, since the library takes seconds to load."""
    pytest.importorskip("kiwipiepy")
    resources = {DICTIONARY: "# names\n워드킨\tNNP\t5\n".encode()}
    spec = TextSpec.model_validate({"tokenizer": {"kind": "kiwi", "user_dictionary": "names"}})
    assert spec.files() == {DICTIONARY: "names"}
    assert TextReader(spec, resources).words("워드킨에서 봤습니다 \U0001f600 학교를") == [
        "워드킨",
        "보",
        "\U0001f600",
        "학교",
    ]
    surface = TextSpec.model_validate({"tokenizer": {"kind": "kiwi", "form": "surface", "tags": True, "drop": []}})
    found = TextReader(surface, resources).words("\U0001f600학교에서 봤어요")
    assert found[-4:] == ["학교/NNG", "에서/JKB", "봤/VV", "어요/EF"]
    endings = TextSpec.model_validate({"tokenizer": {"kind": "kiwi", "drop": []}})
    reader = TextReader(endings, resources)
    assert "\u11b8니다" in reader.words("학교에 갑니다"), "which begins with half a syllable"
    assert reader.folded("\u11b8니다") == "\u11b8니다", "and is found when it is asked for"
    rng = random.Random(1)
    pool = [*"학ㅋ\0\n", *(chr(rng.randrange(0x110000)) for _ in range(2000))]
    odd = ["".join(rng.choices(pool, k=30)) for _ in range(100)]
    for text, words in zip(odd, reader.words_of_each(odd), strict=True):
        assert words == reader.words(text)
        assert not any(character <= " " for word in words for character in word)
    assert list(TextReader(spec, resources).words_of_each(["학교를", "", "바다가"])) == [["학교"], [], ["바다"]]


def test_mecab_takes_a_dictionary() -> None:
    options = {"kind": "mecab-ko", "user_dictionary": "names"}
    spec = TextSpec.model_validate({"tokenizer": options})
    assert spec.files() == {DICTIONARY: "names"}
    text = "초거대모델을 딥시크가 냈다 GPT"
    resources = {DICTIONARY: "\ufeff# new\n초거대모델\tNNP\n딥시크\tNNP\nGPT\tNNP\n".encode()}
    assert reader_of("mecab-ko").words(text)[:3] == ["초", "거대", "모델"]
    assert TextReader(spec, resources).words(text) == ["초거대모델", "딥시크", "내", "gpt"]


@pytest.mark.parametrize(
    ("dictionary", "told"),
    [
        ("딥시크\tXYZ\n", "XYZ"),
        ("딥시크\n", "Line 1"),
        ("딥 시크\tNNP\n", "딥 시크"),
        ('a,"b\tNNP\n', "commas"),
        ("딥시크\tNNP\t5\n", "score"),
        ("# nothing\n", "no entries"),
    ],
)
def test_what_is_no_dictionary_of_mecab_is_told(dictionary: str, told: str) -> None:
    spec = TextSpec.model_validate({"tokenizer": {"kind": "mecab-ko", "user_dictionary": "names"}})
    assert not isinstance(spec.tokenizer, str)
    with pytest.raises(TokenizerUnusable, match=told):
        spec.tokenizer.check_resources({DICTIONARY: dictionary.encode()})


@settings(max_examples=25)
@given(text=st.text(st.characters(exclude_categories=())), other=st.text(max_size=20))
@pytest.mark.parametrize("tokenizer", CHEAP, ids=str)
def test_any_text_is_read_and_no_line_depends_on_another(tokenizer: Any, text: str, other: str) -> None:
    reader = reader_of(tokenizer)
    line, beside = text.replace("\n", " "), other.replace("\n", " ")
    alone = reader.words(line)
    assert all(alone)
    assert not any(character <= " " for word in alone for character in word)
    assert list(reader.words_of_each([beside, line, beside]))[1] == alone
    assert reader_of(tokenizer).words(line) == alone


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_pieces_of_a_run_depend_on_no_text_beside_it(model_type: str) -> None:
    """ㅋㅋ and ㅋ are as likely as ㅋ and ㅋㅋ: the sums that are compared are rounded, with what stands before."""
    spec = TextSpec.model_validate({"tokenizer": {"kind": "sentencepiece", "n_pieces": 300, "model_type": model_type}})
    counts = {"low": 41} | dict.fromkeys(["lower", "newest", "보았다", "봤다", "학교를", "학교에서"], 40)
    counts |= dict.fromkeys(["lowest", "ㅇㅏ", "ㅋㅋㅋ", "학교가"], 1)
    assert isinstance(spec.options, SentencePiece)
    model = learned([*counts], [*counts.values()], TextReader(spec.roughly()), spec.options)
    new, old = (TextReader(spec.model_copy(update={"rules": rules}), {MODEL: model}) for rules in (3, 2))
    line = "lowest 학교가 low ㅋㅋㅋ ㅇㅏ"
    alone = [piece for run in line.split() for piece in new.words(run)]
    assert new.words(line) == alone
    assert (old.words(line) == alone) == (model_type == "bpe"), "as versions of before read it"


@pytest.mark.parametrize("tokenizer", CHEAP, ids=str)
def test_a_long_line_is_read_in_parts(tokenizer: Any) -> None:
    reader = reader_of(tokenizer)
    assert reader.words("학교에서 " * 900) == reader.words("학교에서") * 900


def test_a_specification_is_one_line_of_json_and_old_ones_stay_as_they_were() -> None:
    assert "packages" not in TextSpec().model_dump(mode="json")
    assert TextSpec.model_validate({"tokenizer": {"kind": "words"}}) == TextSpec()
    spec = TextSpec.model_validate({"tokenizer": "mecab-ko"})
    assert spec.model_dump(mode="json")["tokenizer"] == {
        "kind": "mecab-ko",
        "form": "stem",
        "tags": False,
        "drop": ["J", "E", "VCP", "SF", "SP", "SS", "SE", "SO", "SW", "SC", "SY"],
    }
    here = spec.here()
    assert set(here.packages) == {"python-mecab-ko", "python-mecab-ko-dic"}
    assert TextSpec.model_validate_json(here.model_dump_json()) == here
    older = here.model_copy(update={"packages": {"python-mecab-ko": "0.1"}})
    assert older.differences() == [f"python-mecab-ko 0.1 when trained, {here.packages['python-mecab-ko']} here"]


def test_a_specification_has_one_hash_on_every_python() -> None:
    """Its members stand in one order and in one spelling, whatever made it; what is recorded is said here."""
    pinned = {"rules": 2, "unicode_version": "14.0.0", "word_characters": "0"}
    chosen = {"tokenizer": {"kind": "kiwi", "user_dictionary": "names"}, "stop_words": ["그", "이"]}
    spec = TextSpec.model_validate({**pinned, **chosen, "phrases": {"passes": 1}})
    assert hashlib.sha256(spec.model_dump_json().encode()).hexdigest()[:16] == "e63aae9ae8d20267"


@pytest.mark.parametrize(
    "said",
    [
        {"tokenizer": {"kind": "mecab-ko", "n_pieces": 400}},
        {"tokenizer": {"kind": "mecab-ko", "drop": ["x"]}},
        {"tokenizer": {"kind": "sentencepiece", "n_pieces": 10}},
        {"tokenizer": {"kind": "icu", "locale": "../x"}},
        {"tokenizer": {"kind": "../x"}},
        {"tokenizer": "mecab-ko", "format": {"kind": "tokens"}},
        {"tokenizer": "mecab-ko", "keep_tokens": ["c++"]},
    ],
)
def test_what_does_not_belong_together_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TextSpec.model_validate(said)


@pytest.mark.parametrize(
    ("module", "tokenizer"),
    [("sentencepiece", "sentencepiece"), ("mecab", "mecab-ko"), ("kiwipiepy", "kiwi"), ("icu4py.breakers", "icu")],
)
def test_without_the_library_the_command_that_installs_it_is_named(
    module: str, tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing, match=rf"pip install 'wordkin\[{tokenizer}\]'"):
        reader_of(tokenizer)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tags": True}, "a name or an object with a kind, such as words"),
        (5, "a name or an object with a kind, such as words"),
        ("wrods", "There is no tokenizer 'wrods'; did you mean 'words'?"),
    ],
)
def test_what_names_no_tokenizer_is_told_what_does(said: Any, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TextSpec(tokenizer=said)
    [issue] = refused.value.errors()
    assert issue["loc"] == ("tokenizer",)
    assert told in issue["msg"]


def test_files_that_are_none_are_told() -> None:
    pieces, kiwi = (TextSpec.model_validate({"tokenizer": kind}).options for kind in ("sentencepiece", "kiwi"))
    assert pieces is not None
    assert kiwi is not None
    with pytest.raises(TokenizerUnusable, match=r"is no model of sentencepiece\."):
        pieces.check_resources({MODEL: b"no model"})
    with pytest.raises(TokenizerUnusable, match=r"Line 2 of the user dictionary is not: word, tab, tag\."):
        kiwi.check_resources({DICTIONARY: "학교\tNNG\n바다\n".encode()})


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"tokenizer": "sentencepiece"}, "resources/sentencepiece.model"),
        ({"tokenizer": {"kind": "sentencepiece", "model": "mine"}}, "resources/sentencepiece.model"),
        ({"tokenizer": {"kind": "mecab-ko", "user_dictionary": "names"}}, "resources/user_dictionary.tsv"),
        ({"tokenizer": {"kind": "kiwi", "user_dictionary": "names"}}, "resources/user_dictionary.tsv"),
        ({"stop_words": "uploaded"}, "resources/stop_words.txt"),
        ({"phrases": {}}, "resources/phrases.json"),
    ],
)
def test_a_resource_that_is_missing_is_named(said: dict[str, Any], missing: str) -> None:
    """Text that is read without it would be other words, in silence."""
    with pytest.raises(TokenizerUnusable, match=rf"^Text is read with {missing} here, but came with resources/other;"):
        TextReader(TextSpec.model_validate(said), {"resources/other": b""})


def test_a_sample_needs_nothing_that_is_still_to_be_learned() -> None:
    spec = TextSpec.model_validate({"tokenizer": "sentencepiece", "stop_words": "uploaded", "phrases": {}})
    assert read_sample("학교에서 봤다\n".encode(), spec, is_whole=True).lines == [["학교에서", "봤다"]]
    with pytest.raises(BadRecord, match="tokenizer 'sentencepiece'"):
        read_sample(b" \n", spec, is_whole=True)


class Halves:
    """Cuts every run in two."""

    needs_lines = False

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._join = parameters["join"]

    def tokenize(self, lines: list[str]) -> list[list[str]]:
        return [[self._join.join([run[:1], run[1:]]) for run in line.split()] for line in lines]


def test_a_package_brings_a_tokenizer_along(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("halves", f"{__name__}:Halves", others.GROUP)
    monkeypatch.setattr(others, "entry_points", lambda **said: [point] if said["name"] == "halves" else [])
    assert reader_of({"kind": "halves", "parameters": {"join": "-"}}).words("King  sea") == ["k-ing", "s-ea"]
    with pytest.raises(ExtraMissing, match="There is no tokenizer 'thirds' here"):
        reader_of({"kind": "thirds"})
    with pytest.raises(TokenizerUnusable, match=r"The tokenizer 'halves' cannot be made here: KeyError\."):
        reader_of({"kind": "halves"})
