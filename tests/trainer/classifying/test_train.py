"""A training from texts to its report, on a small made-up version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.errors import LabelsUnusable
from app.core.table.reading import Table, open_table
from app.core.text.labelled import LabelledFields
from tests.classified import WORDS, as_lines, labelled, sided
from tests.published import write_version
from trainer.classifying.labelled import Texts, read_texts
from trainer.classifying.train import Wanted, train
from trainer.steps.progress import ignore

FIELDS = LabelledFields(text_field="text", label_field="label", group_field="from")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    write_version(tmp_path / "version", WORDS, sided())
    return open_table(tmp_path / "version")


def texts_of(folder: Path, rows: list[dict[str, str]]) -> Texts:
    (folder / "rows").write_bytes(as_lines(rows))
    return read_texts(folder / "rows", FIELDS, 2)


def test_texts_without_known_words_are_counted_and_cost_accuracy(table: Table, tmp_path: Path) -> None:
    unknown = [{"text": f"neg neg{i}", "label": "neg", "from": "c"} for i in range(50)]
    rows = [row for row in labelled(150) if row["label"] == "pos"] + unknown
    rows += [{"text": f"bad{i % 20} bad{i // 20} neg", "label": "neg", "from": "a"} for i in range(100)]
    texts = texts_of(tmp_path, rows)
    report = train(table, texts, Wanted("mean", 0.2, 1, 0.1), lambda _: ignore).report
    assert (report.rows.n_without_known_word + report.n_abstained, report.n_abstained > 0) == (50, True)
    n_right = sum(report.confusion[i][i] for i in range(2))
    assert report.scores.accuracy == pytest.approx(n_right / report.n_held_out, abs=1e-6)
    assert report.accuracy_of_answered == pytest.approx(n_right / (report.n_held_out - report.n_abstained), abs=1e-6)
    assert sum(row[2] for row in report.confusion) == report.n_abstained
    (of_unknown,) = (group for group in report.groups if group.group == "c")
    assert (of_unknown.accuracy, of_unknown.n_abstained) == (0, of_unknown.n)
    assert report.baselines.tfidf.accuracy > 0.9, "the word neg is told by its characters"
    assert (report.beats_baseline, report.difference < 0) == (False, True)


def test_one_seed_gives_the_same_classifier_and_another_one_holds_out_others(table: Table, tmp_path: Path) -> None:
    texts = texts_of(tmp_path, labelled(120))
    first, again, other = (train(table, texts, Wanted("tfidf", 0.2, seed, 0.1), lambda _: ignore) for seed in (1, 1, 2))
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    assert first.report == again.report
    assert not np.array_equal(first.arrays["mean"], other.arrays["mean"])


def test_texts_of_another_language_are_refused(table: Table, tmp_path: Path) -> None:
    rows = [{"text": f"낱말 {i}", "label": "ab"[i % 2], "from": ""} for i in range(20)]
    with pytest.raises(LabelsUnusable, match="Hardly a text has a word"):
        train(table, texts_of(tmp_path, rows), Wanted("mean", 0.2, 1), lambda _: ignore)
