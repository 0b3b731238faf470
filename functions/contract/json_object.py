"""Reads a record as JSON exactly: no key twice, every number with all of its digits.

msgspec decodes a usual record in half a microsecond, but of two equal keys it takes the last without an error, and it fails as a
whole for one number out of range. So a usual record is only searched for equal keys, and what is unusual is read here.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from contract.errors import InvalidTransactionError

DUPLICATE_KEYS = "an object with the same key twice"
"""What is wrong with a record of which nobody can say which value counts."""


_ASCII_ESCAPE: Final = re.compile(rb"\\(?:[^u]|u00[0-7])")
"""An escape that can hide an ASCII character: a key's letter, or a quotation mark."""


class JsonNumber(str):
    """A number as it is written in JSON."""

    __slots__ = ()


def read_object(data: bytes) -> dict[str, object]:
    """Read a record whose form is not the usual one.

    Parameters
    ----------
    data : bytes
        Any bytes.

    Returns
    -------
    dict[str, object]
        Key to text, :class:`JsonNumber`, bool, None, a list or a dict.

    Raises
    ------
    InvalidTransactionError
        For ``$``: what is not one JSON object in UTF-8, and an object, at any depth, that holds a key twice.
    """
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise InvalidTransactionError("$", f"not JSON in UTF-8 ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise InvalidTransactionError("$", f"not JSON ({error.msg}, character {error.pos})") from error
    except RecursionError as error:
        raise InvalidTransactionError("$", "nested too deeply") from error
    if not isinstance(value, dict):
        raise InvalidTransactionError("$", "JSON, but not an object")
    return value


def has_unique_keys(data: bytes) -> bool:
    """Whether no object in a JSON document, at any depth, holds a key twice.

    Parameters
    ----------
    data : bytes
        Valid JSON. Without escapes, and with no two strings alike, it takes a microsecond.
    """
    if b"\\" in data and data.isascii() and not _ASCII_ESCAPE.search(data):
        data = data.lower()  # what is escaped is not ASCII, in hexadecimal digits of either case
    elif b"\\" in data:
        return _is_unique(data)
    strings = data.split(b'"')[
        1::2
    ]  # no quotation mark is within a string: each second part is one, a key or a value
    return len(set(strings)) == len(strings) or _is_unique(data)


def _is_unique(data: bytes) -> bool:
    try:
        read_object(data)
    except InvalidTransactionError as error:
        if error.problem == DUPLICATE_KEYS:
            return False
    return True


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidTransactionError("$", DUPLICATE_KEYS)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidTransactionError("$", f"not JSON ({name})")
