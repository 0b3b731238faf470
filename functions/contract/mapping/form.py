"""How a file as a whole is written, as a mapping says it: its encoding, its separators, and what means "no value"."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contract.errors import MappingError
from contract.mapping.amounts import SEPARATORS
from contract.mapping.values import NULLS

ENCODINGS: Final = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii"),
    *(f"iso-8859-{part}" for part in (*range(1, 12), *range(13, 17))),
    *(f"windows-{page}" for page in range(1250, 1259)),
    *("cp437", "cp850", "cp852", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman"),
    *("gb18030", "gbk", "gb2312", "big5", "shift_jis", "cp932", "euc-jp", "euc-kr", "cp949"),
)
"""Names that ``encoding`` may have; in any case, with ``_`` for ``-``."""

_OTHER_NAMES: Final = {
    **dict.fromkeys(("latin-1", "latin1"), "iso-8859-1"),
    **dict.fromkeys(("shift-jis", "sjis"), "shift_jis"),
    "utf8": "utf-8",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "us-ascii": "ascii",
}

_DELIMITER: Final = re.compile(r"[\x01\x1f\t !#$%&'()*+,./:;<=>?@^_`{|}~-]")
"""One character of ASCII that is neither a letter, a digit, a quote nor a backslash."""


class FileForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is the same for all columns of a file; each part has a default."""

    encoding: str | None = None
    """One of :data:`ENCODINGS`, for files without a byte-order mark; UTF-8 where nothing is said."""
    delimiter: str | None = None
    """What separates the columns of a CSV file; found in its header where nothing is said."""
    nulls: tuple[str, ...] | None = None
    """Texts that mean "no value" in columns of optional fields, instead of :data:`contract.mapping.values.NULLS`."""
    decimal: str | None = None
    """What separates decimals: a dot or a comma."""
    thousands: str | None = None
    """What separates thousands."""
    trusted: bool = False
    """Whether the event times of the feed are believed, however old: batch files, backfills. The ingestion job says so to the score stage
    in a header of each record (:mod:`contract.clock`)."""

    @property
    def null_texts(self) -> frozenset[str]:
        """Texts that mean "no value"."""
        return NULLS if self.nulls is None else frozenset(text.strip() for text in self.nulls)


FORM_KEYS: Final = FileForm.__struct_fields__
"""Keys of a mapping document that are no fields."""

_KINDS: Final = {"nulls": (list, "a list of texts"), "trusted": (bool, "true or false")}

UNSAID: Final = FileForm()
"""Nothing is said."""


def parse_form(options: dict[str, object]) -> FileForm:
    """Read the keys of a mapping document that say how files are written.

    Parameters
    ----------
    options : dict[str, object]
        Those of :data:`FORM_KEYS` that the document has, their values text or lists of text.

    Raises
    ------
    MappingError
        Naming the key, and what is allowed.
    """
    for key, value in options.items():
        kind, needed = _KINDS.get(key, (str, "one text"))
        if not isinstance(value, kind):
            raise MappingError(key, f"needs {needed}")
    try:
        form = msgspec.convert(options, FileForm)
    except msgspec.ValidationError as error:
        raise MappingError(next(iter(options)), str(error)) from error
    if form.encoding is not None and _plain(form.encoding) not in ENCODINGS:
        raise MappingError("encoding", f"{form.encoding!r} is not one of {', '.join(ENCODINGS)}")
    if form.delimiter is not None and not _DELIMITER.fullmatch(form.delimiter):
        raise MappingError("delimiter", f"{form.delimiter!r} is not one character such as , ; | or a tab")
    _check_separators(form.decimal, form.thousands)
    return msgspec.structs.replace(form, encoding=form.encoding and _plain(form.encoding))


def _check_separators(decimal: str | None, thousands: str | None) -> None:
    if decimal not in (None, ".", ","):
        raise MappingError("decimal", f'{decimal!r} is neither "." nor ","')
    if thousands is not None and thousands not in SEPARATORS:
        raise MappingError("thousands", f"{thousands!r} is not one of {' '.join(map(repr, SEPARATORS))}")
    if thousands is not None and thousands == (decimal or "."):
        raise MappingError("thousands", f"{thousands!r} is what separates decimals")


def _plain(encoding: str) -> str:
    word = re.sub("^cp(?=125[0-8]$)", "windows-", encoding.strip().lower().replace("_", "-"))
    return _OTHER_NAMES.get(word, word)
