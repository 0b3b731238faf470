"""Byte-order marks, by which a text says its encoding."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple


class Marked(NamedTuple):
    """The mark of an encoding."""

    mark: bytes
    encoding: str
    """Python's name of the encoding without a mark."""


_MARKS: Final = (
    # The longer ones first: that of UTF-32 begins like that of UTF-16.
    Marked(codecs.BOM_UTF32_LE, "utf-32-le"),
    Marked(codecs.BOM_UTF32_BE, "utf-32-be"),
    Marked(codecs.BOM_UTF8, "utf-8"),
    Marked(codecs.BOM_UTF16_LE, "utf-16-le"),
    Marked(codecs.BOM_UTF16_BE, "utf-16-be"),
)


def marked_encoding(text: bytes) -> Marked | None:
    r"""Find the encoding that the mark at the begin of a text names; None where there is no mark.

    >>> marked_encoding(b"\xff\xfea\x00"), marked_encoding(b"a")
    (Marked(mark=b'\xff\xfe', encoding='utf-16-le'), None)
    """
    return next((marked for marked in _MARKS if text.startswith(marked.mark)), None)
