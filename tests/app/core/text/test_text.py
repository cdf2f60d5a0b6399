"""Text becomes words as the spec says, the same for a query as for a corpus."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.names import MAX_WORD_BYTES
from app.core.text import JsonLines, TextReader, TextSpec
from app.core.text.spec import NEWEST_RULES
from tests.oracles import text as oracle_text

NORMALIZATIONS, CASES, TOKENIZERS = ("nfc", "nfkc_jamo_safe", "none"), ("lower", "keep"), ("words", "whitespace")
SPECS = [
    TextSpec(normalization=normalization, case=case, tokenizer=tokenizer)
    for normalization, case, tokenizer in product(NORMALIZATIONS, CASES, TOKENIZERS)
]
TRICKY = list(
    "ab \n\t'’AZé\u0301ΣσΑ한\u1112\u1161\u11abㅋ\u3164\u200b\ufeff\x00\x1c\x7f\x85\u2028\u3000İßﬁ.!１\u0e01\u0e31\u094d"
    "ग\uffa7\u00a0`\u00b4\ufdfa\u0345ǅ\u1e9e"
)
TEXTS = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"])), max_size=60)
DEFAULT = TextReader(TextSpec())
FOLDING = TextReader(TextSpec(normalization="nfkc_jamo_safe"))
SPLITTING = TextReader(TextSpec(tokenizer="whitespace"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop", ["don't", "stop"]),
        ("the king\u2019s men", ["the", "king's", "men"]),
        ("'tis the dogs' 'quoted' rock'n'roll don''t", ["tis", "the", "dogs", "quoted", "rock'n'roll", "don", "t"]),
        ("state-of-the-art, 3.14; snake_case", ["state", "of", "the", "art", "3", "14", "snake", "case"]),
        ("line\none\ttwo\x00three\rfour", ["line", "one", "two", "three", "four"]),
        ("J\u030c", ["\u01f0"]),  # composed in lower case only
        ("", []),
        (" ... !? ", []),
        ("❤\ufe0f love", ["love"]),
        ("co\u00adoperate \u2060x", ["cooperate", "x"]),
    ],
)
def test_words_are_runs_of_letters_marks_and_digits(text: str, words: list[str]) -> None:
    assert DEFAULT.words(text) == words


@given(st.lists(TEXTS, max_size=4), st.sampled_from(SPECS))
@settings(max_examples=60)
def test_many_texts_are_read_as_each_alone_is(texts: list[str], spec: TextSpec) -> None:
    reader = TextReader(spec)
    assert list(reader.words_of_each([*texts, "a\ud800b"])) == [*map(reader.words, texts), reader.words("a\ud800b")]


def test_words_that_are_too_long_are_left_out_of_many_texts_too() -> None:
    long = "x" * (MAX_WORD_BYTES + 1)
    assert list(DEFAULT.words_of_each([f"a {long} b", "c"])) == [["a", "b"], ["c"]]


def test_decomposed_korean_equals_composed() -> None:
    composed = "아버지가 방에 들어가신다"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    assert DEFAULT.words(decomposed) == DEFAULT.words(composed) == composed.split()


@pytest.mark.parametrize("reader", [DEFAULT, FOLDING, SPLITTING])
def test_jamo_that_stand_for_laughter_stay_what_they_are(reader: TextReader) -> None:
    """Plain NFKC would turn them into conjoining jamo, and join vowels to consonants."""
    assert reader.words("ㅋㅋㅋ ㅠㅠ ㅇㅏ ㄱ") == ["ㅋㅋㅋ", "ㅠㅠ", "ㅇㅏ", "ㄱ"]


def test_conjoining_jamo_of_a_morphological_analyser_survive() -> None:
    assert FOLDING.words("\u11b8니다") == DEFAULT.words("\u11b8니다") == ["\u11b8니다"]


def test_compatibility_forms_fold_on_request_only() -> None:
    text = "Ａ１ ﬁn ｶﾞ ㈜ \uffbb"
    assert DEFAULT.words(text) == ["ａ１", "ﬁn", "ｶﾞ", "\uffbb"]
    assert FOLDING.words(text) == ["a1", "fin", "ガ", "주", "ㅋ"]


@pytest.mark.parametrize("character", ["\u3164", "\u115f", "\u1160", "\u200b", "\ufeff"])
def test_invisible_letters_are_dropped(character: str) -> None:
    assert DEFAULT.words(f"ki{character}ng {character}") == ["king"]
    assert SPLITTING.words(f"ki{character}ng {character}") == ["king"]


@pytest.mark.parametrize("word", ["ภาษาไทย", "हिन्दी", "العَرَبِيَّة", "বাংলা", "한국어", "日本語", "ελληνικά", "tiếng"])
def test_combining_marks_stay_within_their_words(word: str) -> None:
    assert DEFAULT.words(f"({word})") == [word]


def test_final_sigma_depends_on_its_word_alone() -> None:
    assert DEFAULT.words("ΟΔΟΣ ΟΔΟΣ.Α ΣΑ") == ["οδος", "οδος", "α", "σα"]


def test_case_may_be_kept() -> None:
    assert TextReader(TextSpec(case="keep")).words("King KING") == ["King", "KING"]


def test_whitespace_tokenizer_only_splits() -> None:
    assert SPLITTING.words("New_York, it's\u3000(ok) king’s") == ["new_york,", "it's", "(ok)", "king’s"]


def test_overlong_words_are_left_out_whole() -> None:
    longest = "é" * (MAX_WORD_BYTES // 2)
    assert DEFAULT.words(f"a {longest} b") == ["a", longest, "b"]
    assert DEFAULT.words(f"a {longest}e b") == ["a", "b"]


def test_half_a_surrogate_pair_is_no_error() -> None:
    assert [word.encode() for word in SPLITTING.words("a\ud800")] == ["a\ufffd".encode()]


@settings(max_examples=400)
@given(TEXTS, st.sampled_from(SPECS))
def test_words_equal_those_of_the_reference(text: str, spec: TextSpec) -> None:
    found = TextReader(spec).words(text)
    assert found == oracle_text.words(text, spec.normalization, spec.case, str(spec.tokenizer))


@settings(max_examples=300)
@given(TEXTS, st.sampled_from(SPECS))
def test_words_read_again_are_the_same_words(text: str, spec: TextSpec) -> None:
    words = TextReader(spec).words(text)
    assert TextReader(spec).words(" ".join(words)) == words


@settings(max_examples=300)
@given(st.lists(TEXTS.map(lambda text: text.replace("\n", " ")), max_size=5), st.sampled_from(SPECS))
def test_lines_are_read_independently(lines: list[str], spec: TextSpec) -> None:
    text = TextReader(spec)
    together = text.rewrite("\n".join(lines)).split("\n")
    assert [line.split() for line in together] == [text.rewrite(line).split() for line in lines or [""]]


def test_the_spec_survives_a_manifest() -> None:
    spec = TextSpec(format=JsonLines(field="body"), normalization="nfkc_jamo_safe", case="keep")
    stored = spec.model_dump(mode="json")
    assert stored["format"] == {"kind": "jsonl", "field": "body", "max_bad_rows": 0.2}
    stored["format"] = {"kind": "jsonl", "field": "body"}  # as versions of before have it
    assert TextSpec.model_validate(stored) == spec
    assert spec.differences() == []


def test_other_unicode_data_is_noticed() -> None:
    old = TextSpec(unicode_version="9.0.0", word_characters="00000000")
    assert [difference.split(" when trained")[0] for difference in old.differences()] == [
        "Unicode 9.0.0",
        "word characters 00000000",
    ]
    assert old.here() == TextSpec(rules=NEWEST_RULES)
    assert TextSpec(tokenizer="whitespace", word_characters="00000000").differences() == []


@pytest.mark.parametrize("stored", [{"normalisation": "nfc"}, {"normalization": "nfkc"}, {"format": {"kind": "jsonl"}}])
def test_unknown_settings_are_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TextSpec.model_validate(stored)


NEW = {name: TextReader(TextSpec(normalization=name, rules=NEWEST_RULES)) for name in ("nfc", "nfkc_jamo_safe", "none")}


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("blank", ["\u200b", "\u3164", "\uffa0"])
def test_blanks_that_look_like_nothing_separate_words(name: str, blank: str) -> None:
    """By the newest rules; older versions go on joining what they joined."""
    assert NEW[name].words(f"길드{blank}마스터") == ["길드", "마스터"]
    assert NEW[name].words(f"ฉัน{blank}กิน{blank}ข้าว") == ["ฉัน", "กิน", "ข้าว"]
    assert TextReader(TextSpec(tokenizer="whitespace", rules=2)).words(f"a{blank}b") == ["a", "b"]
    assert DEFAULT.words(f"길드{blank}마스터") == ["길드마스터"]


@pytest.mark.parametrize("joiner", ["\u200d", "\u200c", "\u00ad", "\ufeff", "\u2060"])
def test_what_joins_goes_on_joining(joiner: str) -> None:
    assert NEW["nfc"].words(f"hel{joiner}lo") == ["hello"]


def test_folding_begins_no_word_with_a_mark() -> None:
    folding = NEW["nfkc_jamo_safe"]
    for text in ("l´amour", "10˚C", "a¨b", "x¯y", "``d´´", "゛か"):
        assert folding.words(text) == NEW["nfc"].words(text)
    assert FOLDING.words("l´amour") == ["l", "\u0301amour"], "as versions of before read it"
    assert folding.words("Ｆｕｌｌ ㋿ ㅋㅋㅋ") == ["full", "令和", "ㅋㅋㅋ"]


def test_every_spacing_accent_is_left_alone() -> None:
    """All of Unicode: none becomes a space and a mark."""
    wrong = []
    for point in range(0x80, 0x30000):
        text = f"a{chr(point)}b"
        if not 0xD800 <= point < 0xE000 and not unicodedata.category(chr(point)).startswith("M"):
            words = NEW["nfkc_jamo_safe"].words(text)
            begins = any(unicodedata.category(word[0]).startswith("M") for word in words)
            wrong += [f"{point:04x}"] if begins and words != NEW["nfc"].words(text) else []
    assert wrong == []


@pytest.mark.parametrize("text", ["1\ufe0f\u20e3", "\u20e3", "a \u0301 b", "\u0300'\u0301", "\ufe0f \u20e3\u20e3"])
def test_a_word_has_a_letter_or_a_digit(text: str) -> None:
    for reader in NEW.values():
        assert all(any(c.isalnum() for c in word) for word in reader.words(text))


def test_a_spec_of_before_means_the_rules_of_before() -> None:
    stored = TextSpec().model_dump(mode="json")
    del stored["rules"]
    assert TextSpec.model_validate(stored).rules == 1
    assert TextSpec().here().rules == NEWEST_RULES
    with pytest.raises(ValidationError):
        TextSpec(unicode_version="x" * 100)


@given(st.text(), st.sampled_from(list(NEW)), st.sampled_from(["words", "whitespace"]))
def test_words_by_the_newest_rules_read_again_are_the_same(text: str, normalization: str, tokenizer: str) -> None:
    chosen = {"normalization": normalization, "tokenizer": tokenizer, "rules": NEWEST_RULES}
    reader = TextReader(TextSpec.model_validate(chosen))
    words = reader.words(text)
    assert [again for word in words for again in reader.words(word)] == words


@pytest.mark.parametrize("text", ["dog", "Dog!", "(dog)", " dog ", "“dog”,", "'dog'", "dog...", "the king\u2019s"[4:],
                                  "e\u0301", "don't", "강아지?", "「犬」。", "co\u00adoperate"])  # fmt: skip
def test_marks_around_a_word_are_no_part_of_it(text: str) -> None:
    assert DEFAULT.is_whole(text)


@pytest.mark.parametrize("text", ["c++", "c#", ".net", "f#", "#dog", "@dog", "dog_", "$dog", "dog ❤", "-dog", "dog%"])
def test_other_marks_are_not_dropped_in_silence(text: str) -> None:
    assert len(DEFAULT.words(text)) == 1
    assert not DEFAULT.is_whole(text)
    assert SPLITTING.is_whole(text)
