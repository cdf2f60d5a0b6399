"""What is held out, and which texts a file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.errors import LabelsUnusable
from app.core.text.labelled import LabelledFields
from trainer.classifying.choosing import GRID, choose_c, folds, split
from trainer.classifying.designs import Dense
from trainer.classifying.labelled import read_texts
from trainer.classifying.measuring import ABSTAINED, by_group, confusion, difference, scores_of

LABELS = np.array([0] * 10 + [1] * 30 + [2] * 2)


def test_each_label_is_held_out_by_the_same_share() -> None:
    training, held_out = split(LABELS, 0.2, seed=3)
    assert sorted([*training, *held_out]) == list(range(42))
    assert np.bincount(LABELS[held_out]).tolist() == [2, 6, 1]
    again = split(LABELS, 0.2, seed=3)
    assert (again[0].tolist(), again[1].tolist()) == (training.tolist(), held_out.tolist())
    assert split(LABELS, 0.2, seed=4)[1].tolist() != held_out.tolist()
    assert [np.bincount(LABELS[folds(LABELS) == i], minlength=3).tolist()[:2] for i in range(5)] == [[2, 6]] * 5


def test_the_first_of_the_training_have_the_shares_of_all() -> None:
    labels = np.arange(20_000) % 2
    for seed in range(5):
        training, _ = split(labels, 0.25, seed)
        assert 0.4 < labels[training[:500]].mean() < 0.6


def test_noise_gets_a_strong_penalty_and_what_is_separable_a_weak_one() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 20)).astype(np.float32)
    by_chance, by_rows = rng.integers(0, 2, 200), (rows[:, 0] > 0).astype(np.int64)
    assert choose_c(lambda places: Dense(rows[places]), by_chance, 2, GRID) <= GRID[1]
    assert choose_c(lambda places: Dense(rows[places]), by_rows, 2, GRID) == GRID[-1]


def test_texts_are_told_once_and_rare_labels_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,x\nb,x\na,x\nc,y\nd,y\nc,x\nc,y\ne,z\n,x\nf,\n")
    fields = LabelledFields(text_field="text", label_field="label")
    found = read_texts(path, fields, 2)
    assert (found.texts, found.labels, found.classes.tolist()) == (["a", "b", "c", "d"], ("x", "y"), [0, 0, 1, 1])
    rows = found.rows
    assert (rows.n_rows, rows.n_duplicates, rows.n_contradictory, rows.rare_labels) == (10, 3, 1, {"z": 1})
    assert (rows.n_without_text, rows.n_without_label) == (1, 1)
    with pytest.raises(LabelsUnusable, match=r"two labels or more with 3 .* there is none. Labels of fewer texts: 'x'"):
        read_texts(path, fields, 3)


def test_scores_count_abstained_texts_as_wrong() -> None:
    truth, told = np.array([0, 0, 1, 1]), np.array([0, 1, 1, ABSTAINED])
    counts = confusion(truth, told, 2)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert (scores_of(counts).accuracy, scores_of(counts).macro_f1) == (0.5, round((2 / 3 + 1 / 2) / 2, 6))
    groups = by_group(["a", None, "a", "a"], truth, told)
    assert [(each.group, each.n, each.n_errors, each.n_abstained) for each in groups] == [
        ("a", 3, 1, 1),
        (None, 1, 1, 0),
    ]
    assert by_group([None] * 4, truth, told) == []
    ahead, interval = difference(truth, told, np.array([1, 1, 1, 1]))
    assert ahead == 0
    assert interval.high == pytest.approx(1.959964 * np.sqrt(0.5 / 4), abs=1e-6)
