"""A disk that is full takes nothing, and is the disk of the file that is written."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import pytest

from app.core.cache import write_whole
from tests.chaos.writes import on_a_full_disk


@pytest.mark.parametrize(
    ("mode", "content"), [("w", "text"), ("xb", b"bytes"), ("ab", b"bytes"), ("r+b", b"bytes"), ("w+", "text")]
)
def test_nothing_is_taken(tmp_path: Path, mode: str, content: Any) -> None:
    path = tmp_path / "file"
    if "x" not in mode:
        path.touch()
    file = on_a_full_disk(path, mode)
    assert str(file.name) == str(path)
    file.write(content)
    for end in (file.flush, file.close):
        with pytest.raises(OSError, match="No space left") as raised:
            end()
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == b""


def test_only_the_file_that_is_written_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[Path] = []
    unlink = Path.unlink

    def noted(path: Path, missing_ok: bool = False) -> None:
        removed.append(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", noted)
    monkeypatch.setattr(io, "open", on_a_full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "manifest.json", [memoryview(b"{}")])
    assert [path.parent for path in removed] == [tmp_path]
    assert list(tmp_path.iterdir()) == []
