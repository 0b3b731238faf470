"""Zip archives of one file, and those that are refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from contract.errors import UnreadableFileError
from contract.reading.archive import only_file


def archive(*names: str, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """An archive of files of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as packed:
        for name in names:
            packed.writestr(name, "" if name.endswith("/") else f"content of {name}\n" * 1000)
    return buffer


@pytest.mark.parametrize(
    "names", [("a.csv",), ("data/", "data/a.csv"), ("a.csv", "__MACOSX/._a.csv"), ("a.csv", ".DS_Store")]
)
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_the_only_file_of_an_archive_is_read(names: tuple[str, ...], method: int) -> None:
    name, content = only_file(archive(*names, method=method))

    assert name.endswith("a.csv")
    assert b"".join(content).startswith(f"content of {name}\n".encode())


def test_a_line_break_behind_an_archive_does_no_harm() -> None:
    name, content = only_file(io.BytesIO(archive("a.csv").getvalue() + b"\n"))

    assert (name, len(b"".join(content))) == ("a.csv", 17_000)


@pytest.mark.parametrize(
    ("names", "count"), [((), 0), (("a.csv", "b.csv"), 2), (("a/x.csv", "b/x.csv", "c.txt"), 3)]
)
def test_an_archive_of_several_files_is_refused_with_their_number(names: tuple[str, ...], count: int) -> None:
    with pytest.raises(UnreadableFileError, match=rf"^a zip archive of {count} files; it needs exactly one"):
        only_file(archive(*names))


def test_an_archive_with_a_password_is_refused() -> None:
    data = bytearray(archive("a.csv").getvalue())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1

    with pytest.raises(UnreadableFileError, match="password"):
        only_file(io.BytesIO(data))


def test_a_damaged_archive_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="damaged; none of it was read"):
        only_file(io.BytesIO(archive("a.csv").getvalue()[:50]))


def test_a_damaged_file_in_an_archive_is_an_error_while_it_is_read() -> None:
    data = bytearray(archive("a.csv").getvalue())
    data[60] ^= 0xFF
    _, content = only_file(io.BytesIO(data))

    with pytest.raises(UnreadableFileError, match="damaged; the rows up to the damage were read"):
        list(content)
