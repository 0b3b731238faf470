"""Bytes of files to lines in UTF-8, by what they begin with."""

from __future__ import annotations

import bz2
import codecs
import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UnreadableFileError
from contract.mapping.form import ENCODINGS
from contract.reading.text import in_pieces, in_utf8, lines_of, unpacked

TEXT = "user_id,city\nu1,Köln\nu2,東京 ਊ\n"
"""With U+0A0A and U+0A41 in UTF-16 there are bytes that look like a line break."""


def cut(data: bytes, size: int) -> list[bytes]:
    """Parts of this size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def by_line_breaks(data: bytes) -> list[bytes]:
    """As a reader gives them that knows line breaks alone: one is behind the last part too."""
    return [part + b"\n" for part in data.removesuffix(b"\n").split(b"\n")]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (b"", "utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_is_decoded_by_its_mark_however_it_is_cut(mark: bytes, encoding: str, end: str) -> None:
    text = TEXT.rstrip() + end
    data = mark + text.encode(encoding)

    found = [b"".join(in_utf8(parts)) for parts in (cut(data, 1), cut(data, 7), [data])]

    assert found == [text.encode()] * 3
    assert b"".join(in_utf8(by_line_breaks(data))).rstrip(b"\n") == text.rstrip().encode()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_without_a_mark_is_decoded_by_the_word_of_its_mapping(encoding: str) -> None:
    text = "user_id,note\nu1,plain\n"
    data = text.encode({"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding))

    assert b"".join(in_utf8(cut(data, 3), encoding)) == text.encode()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1252", "Café 5 €"),
        ("shift_jis", "東京"),
        ("koi8-r", "Москва"),
        ("gb18030", "北京"),
        ("cp850", "Köln"),
    ],
)
def test_letters_beyond_ascii_are_those_of_the_encoding(encoding: str, text: str) -> None:
    assert b"".join(in_utf8(cut(text.encode(encoding), 1), encoding)).decode() == text


def test_a_mark_counts_more_than_the_word_of_a_mapping() -> None:
    data = codecs.BOM_UTF16_LE + "Köln".encode("utf-16-le")

    assert b"".join(in_utf8([data], "windows-1252")) == "Köln".encode()


@pytest.mark.parametrize(
    ("data", "encoding"), [(b"a,\x81,b\n", "windows-1252"), ("a\ud800b".encode("utf-16-le", "surrogatepass"), "utf-16"), (b"a,\xff\n", None)]
)  # fmt: skip
def test_what_cannot_be_decoded_is_no_utf8_afterwards(data: bytes, encoding: str | None) -> None:
    text = b"".join(in_utf8([data], encoding))

    with pytest.raises(UnicodeDecodeError):
        text.decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (codecs.BOM_UTF16_LE + b"a\0b", "ends within a character of utf-16-le"),
        (codecs.BOM_UTF32_LE + b"a\0\0\0\xff\xff\xff\xff", "is not utf-32-le"),
        (codecs.BOM_UTF32_BE + b"\0\0\0ab", "ends within a character of utf-32-be"),
    ],
)
def test_a_file_that_is_not_in_its_encoding_is_an_error_and_not_silence(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError, match=message):
        list(in_utf8([data]))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_packed_file_is_unpacked_by_what_it_begins_with(pack: object, size: int) -> None:
    data = pack(TEXT.encode()) + pack(b"u3,x\n")  # type: ignore[operator]

    found = [b"".join(unpacked(cut(data, size))), b"".join(unpacked(by_line_breaks(data)))]

    assert found == [TEXT.encode() + b"u3,x\n"] * 2


@pytest.mark.parametrize("damage", [slice(0, -9), slice(0, 12)])
def test_a_damaged_packed_file_is_read_up_to_the_damage_and_reported(damage: slice) -> None:
    data = gzip.compress(b"line\n" * 10_000)[damage]
    found: list[bytes] = []

    with pytest.raises(UnreadableFileError, match="damaged; the rows up to the damage were read"):
        found.extend(unpacked([data]))
    assert b"".join(found).startswith(b"line\n") or len(data) < 20


def test_a_file_that_is_not_packed_passes_byte_by_byte() -> None:
    assert b"".join(unpacked([b"\x1f", b"x", b"", b"\x8b"])) == b"\x1fx\x8b"


def expected_lines(data: bytes) -> list[bytes]:
    """By the first line break: where it is a return, any of them ends a line, else a line feed, and a return at its begin."""
    first = re.search(rb"\r\n|\n|\r", data)
    if first is not None and first.group() == b"\r":
        return data.splitlines(keepends=True)
    expected = []
    for line in re.findall(rb"[^\n]*\n|[^\n]+", data):
        returns = re.match(rb"\r*(?=[^\r\n])", line)
        blank = 0 if returns is None else returns.end()
        expected += [b"\r"] * blank + [line[blank:]]
    return expected


@given(st.text("a\r\n\x0b\x85\u2028", max_size=40), st.integers(1, 9))
def test_lines_are_the_same_however_the_text_is_cut(text: str, size: int) -> None:
    data = text.encode()

    found = list(lines_of(cut(data, size)))

    assert found == expected_lines(data)
    assert list(lines_of(by_line_breaks(data)))[: len(found)] == found or not text.endswith("\n")


def test_a_long_part_is_cut_into_small_ones() -> None:
    pieces = list(in_pieces([b"a" * 100_000, b"b"]))

    assert b"".join(pieces) == b"a" * 100_000 + b"b"
    assert max(map(len, pieces)) <= 1 << 16
