"""Size of an item as DynamoDB counts it, by the rules of its developer guide ("DynamoDB item sizes and formats"). Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRITE_UNIT_BYTES: Final = 1024
"""One write request unit writes up to 1 KB; a larger item takes one unit for each KB begun."""

_NAMES: Final = re.compile(r"'([^']+)': *\?")


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Size of an item in DynamoDB's wire form, bytes: its names in UTF-8, and its values.

    Examples
    --------
    >>> item_bytes({"user_id": {"S": "é"}, "n": {"N": "1234"}})
    13
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(size_bytes: int) -> int:
    """Write units that an item of this size takes.

    Examples
    --------
    >>> write_units(1024), write_units(1025)
    (1, 2)
    """
    return -(-size_bytes // WRITE_UNIT_BYTES)


def inserted_items(body: str) -> Iterator[dict[str, dict[str, Any]]]:
    """The items that a `BatchExecuteStatement` request inserts; ValueError if a statement is not a plain PartiQL insert."""
    for statement in json.loads(body)["Statements"]:
        names = _NAMES.findall(statement["Statement"])
        values = statement["Parameters"]
        if not names or len(names) != len(values):
            raise ValueError(
                f"not an insert with one parameter for each attribute: {statement['Statement'][:200]}"
            )
        yield dict(zip(names, values, strict=True))


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            digits = len(str(content).lstrip("-").replace(".", "").strip("0"))
            return -(-digits // 2) + 1 + str(content).startswith("-")
        case "B":
            return len(str(content)) * 3 // 4 - str(content).count("=")
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in content.items())
    raise ValueError(f"no rule for the size of type {kind}")
