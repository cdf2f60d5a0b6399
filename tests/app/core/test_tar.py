"""Members of a tar: files by name and place; what is no plain file or folder is refused by its byte."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from app.core.errors import VectorsUnreadable
from app.core.tar import members


def packed(*infos: tuple[str, bytes, bytes], layout: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of names, kinds and contents, by Python's writer."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=layout) as tar:
        for name, kind, content in infos:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mtime = kind, len(content), 1.5
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


FILE = tarfile.REGTYPE


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_files_are_found_where_they_are(layout: int) -> None:
    deep = "a" * 90 + "/" + "b" * 60
    wanted = [("./x", b"one"), ("empty", b""), ("y", b"2" * 513)]
    wanted += [(deep, b"long")] if layout == tarfile.USTAR_FORMAT else []
    content = packed(*((name, FILE, content) for name, content in wanted), layout=layout)
    found = {each.name: content[each.start : each.start + each.n_bytes] for each in members(io.BytesIO(content))}
    assert found == {name.removeprefix("./"): content for name, content in wanted}


def test_what_tar_makes_of_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "deeper" / "x").write_bytes(b"one")
    with tarfile.open(tmp_path / "t", "w") as tar:
        tar.add(tmp_path / "in", "model")
    with (tmp_path / "t").open("rb") as file:
        assert [(each.name, each.n_bytes) for each in members(file)] == [("model/deeper/x", 3)]


ONE = packed(("x", FILE, b"one"), layout=tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (packed(("x", tarfile.SYMTYPE, b"")), "Byte 1024: 'x' is neither a file nor a folder"),
        (packed(("x", tarfile.LNKTYPE, b""), layout=tarfile.USTAR_FORMAT), "Byte 0: 'x' is neither"),
        (packed(("x" * 300, FILE, b"")), "is neither a file nor a folder of the tar, or its name is too long"),
        (packed(("x" * 300, FILE, b""), layout=tarfile.GNU_FORMAT), "is neither a file nor a folder"),
        (ONE[:512], "Byte 1024: the tar was cut"),
        (ONE[:100], "Byte 0: the tar was cut"),
        (b"y" + ONE[1:], "Byte 0: a header of a tar should begin there, and is damaged"),
        (b"\1" * 1024, "Byte 0: a header of a tar should begin there"),
        (packed(*((f"{i}", FILE, b"") for i in range(5001))), "more than 10000 members"),
    ],
)
def test_what_is_no_plain_tar_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        list(members(io.BytesIO(content)))
