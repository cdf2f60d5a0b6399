from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.steps.checkpoint import FolderCheckpoints, Saver, fingerprint


def folder_with(tmp_path: Path, *steps: int) -> FolderCheckpoints:
    checkpoints = FolderCheckpoints(tmp_path / "new" / "folder", 60)
    for step in steps:
        checkpoints.save({"rows": np.full((3, 2), step, np.float32), "none": np.zeros(0, np.int64)}, {"step": step})
    return checkpoints


def test_round_trip(tmp_path: Path) -> None:
    found = folder_with(tmp_path, 1, 2).load()
    assert found is not None
    arrays, state = found
    assert state == {"step": 2}
    assert arrays["rows"].tolist() == [[2.0, 2.0]] * 3
    assert arrays["rows"].dtype == np.float32
    assert arrays["none"].shape == (0,)
    assert not arrays["rows"].flags.writeable


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert folder_with(tmp_path).load() is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "state", "shape", "empty", "old", "remove"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    checkpoints = folder_with(tmp_path, 1, 2)
    blob = bytearray(checkpoints.latest.read_bytes())
    if damage == "truncate":
        blob = blob[:-1]
    elif damage == "flip":
        blob[-3] ^= 1
    elif damage == "state":
        blob = blob.replace(b"step", b"stop")
    elif damage == "shape":
        blob = blob.replace(b"[3,2]", b"[2,3]")
    elif damage == "empty":
        blob = bytearray()
    elif damage == "old":
        blob = bytearray(b"wordkin checkpoint 1\n" + bytes(200))
    assert damage == "remove" or bytes(blob) != checkpoints.latest.read_bytes()
    checkpoints.latest.unlink()
    if damage != "remove":
        checkpoints.latest.write_bytes(blob)
    found = checkpoints.load()
    assert found is not None
    assert found[1] == {"step": 1}


def test_every_flipped_byte_is_noticed_or_says_the_same(tmp_path: Path) -> None:
    checkpoints = folder_with(tmp_path, 2)
    whole = checkpoints.latest.read_bytes()
    for place in range(len(whole)):
        blob = bytearray(whole)
        blob[place] ^= 1
        checkpoints.latest.write_bytes(blob)
        found = checkpoints.load()
        if found is not None:
            assert found[0]["rows"].tolist() == [[2.0, 2.0]] * 3
            assert found[1] == {"step": 2}


def test_death_between_the_renames_loses_nothing(tmp_path: Path) -> None:
    """latest is moved away before the new file takes its place: the older one is still found."""
    checkpoints = folder_with(tmp_path, 1)
    (checkpoints.folder / "latest.checkpoint").rename(checkpoints.folder / "previous.checkpoint")
    (checkpoints.folder / "aside.checkpoint").write_bytes(b"half")
    found = checkpoints.load()
    assert found is not None
    assert found[1] == {"step": 1}


class FakeTime:
    def __init__(self, seconds_per_save: float) -> None:
        self.now, self.seconds_per_save, self.saves = 0.0, seconds_per_save, 0
        self.every_seconds = 10.0

    def clock(self) -> float:
        return self.now

    def is_wanted(self) -> bool:
        return False

    def save(self, arrays: object, state: object) -> None:  # noqa: ARG002 (the protocol's signature)
        self.now += self.seconds_per_save
        self.saves += 1

    def load(self) -> None:
        return None


@pytest.mark.parametrize(("seconds_per_save", "most"), [(0.01, 101), (5.0, 5)])
def test_saving_takes_less_than_two_percent(seconds_per_save: float, most: int) -> None:
    """Fast saves come at the interval, slow ones further apart."""
    fake = FakeTime(seconds_per_save)
    saver = Saver(fake, "mine", fake.clock)
    while fake.now < 1000:
        fake.now += 0.5
        if saver.is_due():
            saver.save({}, {})
    assert 2 <= fake.saves <= most
    assert fake.saves * seconds_per_save < 0.02 * 1000 + seconds_per_save


def test_a_checkpoint_of_another_training_is_not_taken(tmp_path: Path) -> None:
    checkpoints = FolderCheckpoints(tmp_path, 60)
    mine, other = fingerprint("a", np.arange(3)), fingerprint("a", np.arange(4))
    checkpoints.save({}, {"identity": other})
    assert Saver(checkpoints, mine).load() is None
    assert Saver(checkpoints, other).load() is not None
    Saver(checkpoints, mine).save({}, {"step": 3})
    assert Saver(checkpoints, mine).load() == ({}, {"identity": mine, "step": 3})
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
