"""Bytes of a file to its text, as lines in UTF-8: unpacked, and decoded by the byte-order mark or by a mapping's word.

Files of UTF-8 pass as they are, whatever bytes they hold: a row that is not UTF-8 is refused by its reader, with its bytes.
"""

from __future__ import annotations

import bz2
import codecs
import re
import zlib
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from contract.byte_order import marked_encoding
from contract.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DAMAGED: Final = "the file is damaged; the rows up to the damage were read"

_LONGEST_MARK: Final = 4
_FED_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")

_CODECS: Final = {
    # Without a mark, the byte order is the usual one.
    "utf-16": "utf-16-le",
    "utf-32": "utf-32-le",
    "ascii": "utf-8",
}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


_PACKED: Final[tuple[tuple[bytes, Callable[[], _Decompressor]], ...]] = (
    (b"\x1f\x8b\x08", lambda: zlib.decompressobj(wbits=31)),
    (b"BZh", bz2.BZ2Decompressor),
)
"""The bytes that a compressed file begins with, whatever its name is, to what unpacks it."""

_PIECE_BYTES: Final = 1 << 16
"""Packed bytes that are unpacked at once: 64 KiB can hold 64 MiB of zeros."""


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip and bzip2 by what the file begins with; every other file passes as it is.

    Parameters
    ----------
    chunks : Iterable[bytes]
        The file, in parts of any size.

    Raises
    ------
    UnreadableFileError
        While it is read, where the file is damaged: what came before has been yielded.
    """
    begin, rest = begin_of(chunks, _LONGEST_MARK)
    for magic, decompressor in _PACKED:
        if begin.startswith(magic):
            return _decompressed(in_pieces(chain([begin], rest)), decompressor)
    return chain([begin], rest)


def in_utf8(chunks: Iterable[bytes], encoding: str | None = None) -> Iterator[bytes]:
    """Write a file's text in UTF-8, without its byte-order mark.

    Parameters
    ----------
    chunks : Iterable[bytes]
        The file, unpacked, in parts of any size.
    encoding : str | None
        Of a file without a mark, one of :data:`contract.mapping.form.ENCODINGS`; None for UTF-8. A mark counts more.

    Yields
    ------
    bytes
        What cannot be decoded is no UTF-8 here either, so that its row is refused and no other.
    """
    begin, rest = begin_of(chunks, _LONGEST_MARK)
    if (marked := marked_encoding(begin)) is not None:
        encoding, begin = marked.encoding, begin[len(marked.mark) :]
    name = _CODECS.get(encoding or "utf-8", encoding or "utf-8")
    text = chain([begin], rest)
    return text if name == "utf-8" else _transcoded(text, name)


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut text into lines, each with its line break: that of the first line, ``\n`` (or ``\r\n``) or ``\r``.

    Where lines end in ``\n``, a ``\r`` inside a line is a part of it: the text behind it is no row of its own. One at its begin is a
    blank line. No other character ends a line.

    >>> list(lines_of([b"a\r", b"\nb\rc\n", b"d"])), list(lines_of([b"a\rb\nc"]))
    ([b'a\r\n', b'b\rc\n', b'd'], [b'a\r', b'b\n', b'c'])
    """
    parts = iter(chunks)
    held: list[bytes] = []
    ends_in_return = False
    for chunk in parts:
        held.append(chunk)
        if b"\n" in chunk or b"\r" in chunk[:-1] or (ends_in_return and chunk):
            break
        ends_in_return = chunk.endswith(b"\r") or (ends_in_return and not chunk)
    begin = b"".join(held)
    first_feed, first_return = begin.find(b"\n"), begin.find(b"\r")
    has_returns = first_return >= 0 and (first_feed < 0 or first_return < first_feed - 1)
    yield from (_lines_by_any if has_returns else _lines_by_feeds)(chain([begin], parts))


def begin_of(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Read a file until ``size`` bytes of it are known, or to its end: what was read, and the parts after it."""
    parts = iter(chunks)
    begin = b""
    while len(begin) < size and (part := next(parts, None)) is not None:
        begin += part
    return begin, parts


def _lines_by_feeds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending: list[bytes] = []
    for chunk in chunks:
        if not pending and chunk.find(b"\n") == len(chunk) - 1 >= 0 and chunk[:1] != b"\r":
            yield chunk  # most parts are one line
            continue
        end = chunk.rfind(b"\n") + 1
        if end:
            yield from _cut(b"".join([*pending, chunk[:end]]))
            pending = []
        if end < len(chunk):
            pending.append(chunk[end:])
    yield from _cut(b"".join(pending))


def _cut(text: bytes) -> Iterator[bytes]:
    for line in text.splitlines(keepends=True) if b"\r" not in text else _FED_LINE.findall(text):
        if line[:1] == b"\r" and line.strip(b"\r\n"):
            blank = len(line) - len(line.lstrip(b"\r"))
            yield from [b"\r"] * blank
            yield line[blank:]
        else:
            yield line


def _lines_by_any(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending: list[bytes] = []
    for chunk in chunks:
        # A return at the end may be the first half of a line break.
        if b"\n" not in chunk and b"\r" not in chunk and not (pending and pending[-1].endswith(b"\r")):
            pending.append(chunk)
            continue
        lines = b"".join([*pending, chunk]).splitlines(keepends=True)
        pending = [lines.pop()] if lines and not lines[-1].endswith(b"\n") else []
        yield from lines
    yield from b"".join(pending).splitlines(keepends=True)


def in_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a file into parts of at most 64 KiB: a reader that copies what is left of a part would copy a whole file for each row."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[start : start + _PIECE_BYTES]


def _decompressed(chunks: Iterator[bytes], decompressor: Callable[[], _Decompressor]) -> Iterator[bytes]:
    unpacker = decompressor()
    try:
        for piece in chunks:
            data = piece
            while data:
                if unpacker.eof:
                    # Parts of a file may be packed one by one; zeros and a line break may follow the last.
                    if not data.strip(b"\0\r\n"):
                        break
                    unpacker = decompressor()
                if part := unpacker.decompress(data):
                    yield part
                data = unpacker.unused_data if unpacker.eof else b""
    except (zlib.error, OSError, EOFError) as error:
        raise UnreadableFileError(DAMAGED) from error
    if not unpacker.eof:
        raise UnreadableFileError(DAMAGED)


def _transcoded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    # Halves of a pair stay as they are and make no UTF-8; other codecs keep bytes that they do not know.
    errors = "surrogatepass" if name.startswith("utf") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(name)(errors)
    try:
        for chunk in chunks:
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", errors)
        left = decoder.getstate()[0]
        # A line break of one byte is added where the file was read by its line breaks.
        if left and left != b"\n":
            raise UnreadableFileError(
                f"the file ends within a character of {name}; the rows before were read"
            )
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"the file is not {name}; the rows up to its first other bytes were read"
        ) from error
