"""Which column of somebody's file is which field, and how its values are to be read: a small YAML document.

Each key is a field of the contract (``latitude``, ``longitude``, ``country`` and ``city`` for the location's parts), or
``label`` or ``scenario``. Its value is a column's name, or an object::

    user_id: CUSTOMER_ID
    amount: {column: cents, unit: minor}
    currency: {value: BRL}
    timestamp: {column: when, format: "%d/%m/%Y %H:%M", timezone: America/Sao_Paulo}
    channel: {column: kind, values: {CP: pos, CNP: online}}
    label: {column: is_fraud, fraud_values: ["1", "true"]}
    scenario: fraud_kind
"""

from __future__ import annotations

from datetime import UTC, datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml

from contract.errors import MappingError
from contract.mapping.columns import LOCATION_PARTS, known_column
from contract.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIELDS: Final = (*Transaction.__struct_fields__, *LOCATION_PARTS)
"""What can be mapped."""

REQUIRED: Final = ("user_id", "amount", "timestamp")
"""What has to be; an id is made where there is none."""

_LABELS: Final = (
    "is_fraud",
    "fraud",
    "isfraud",
    "fraudulent",
    "is_fraudulent",
    "tx_fraud",
    "fraud_label",
    "class",
)
_SCENARIOS: Final = ("fraud_scenario", "scenario", "fraud_type", "tx_fraud_scenario")

FRAUD_VALUES: Final = ("1", "1.0", "true", "yes", "y", "t", "fraud")
"""What a label column says of fraud where the mapping does not tell, in lower case."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field's values come from, and in which form they are."""

    column: str | None = None
    value: str | int | float | None = None
    """The same for every row, instead of a column."""
    values: dict[str, str] = {}
    """What the column's values mean; one that is not named stays as it is."""
    format: str | None = None
    """``timestamp``: as for ``strptime``."""
    timezone: str | None = None
    """``timestamp``: the zone of times that name none, as an IANA name or an offset such as ``+02:00``; UTC if not said."""
    unit: Literal["s", "ms", "us", "minor"] | None = None
    """``timestamp``: numbers count from ``origin``; ``amount``: ``minor`` for cents and their like."""
    origin: str = "1970-01-01T00:00:00Z"
    """``timestamp``: what a number counts from, RFC 3339."""
    fraud_values: tuple[str, ...] = ()
    """``label``: what the column says of fraud, whatever its case."""


class Mapping(msgspec.Struct, frozen=True):
    """Sources by field, and those of the truth."""

    fields: dict[str, Source]
    label: Source | None = None
    scenario: Source | None = None


def read_mapping(path: Path, columns: Sequence[str]) -> Mapping:
    """Read a mapping and hold it against the columns that a file has.

    Parameters
    ----------
    path : Path
        A YAML file.
    columns : Sequence[str]
        The file's columns.

    Returns
    -------
    Mapping
        Whose columns all exist, and which maps all that is required.

    Raises
    ------
    MappingError
        Naming the key at fault and what would be right.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise MappingError("$", f"{path} does not exist") from error
    except yaml.YAMLError as error:
        raise MappingError("$", f"{path} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise MappingError("$", f"{path} does not map fields to columns")
    sources = {str(key): _source(str(key), value) for key, value in document.items()}
    for key, source in sources.items():
        if source.column is not None and source.column not in columns:
            raise MappingError(key, f"no column {source.column!r}; the file has {', '.join(columns)}")
    label, scenario = sources.pop("label", None), sources.pop("scenario", None)
    if scenario is not None and label is None:
        raise MappingError("scenario", "needs a label: which rows are fraud")
    return _complete(Mapping(sources, label, scenario), columns)


def guess_mapping(columns: Sequence[str]) -> Mapping:
    """Map columns by their names, as the Glue job knows them.

    Raises
    ------
    MappingError
        Where something required is not among them; tells how to write a mapping.
    """
    ranked: dict[str, tuple[int, str]] = {}
    label = scenario = None
    for column in columns:
        word = column.strip().lower().replace(" ", "_").replace("-", "_")
        if word in _LABELS:
            label = Source(column=column)
        elif word in _SCENARIOS:
            scenario = Source(column=column)
        elif (known := known_column(column)) is not None:
            ranked[known.field] = min(ranked.get(known.field, (known.rank, column)), (known.rank, column))
    fields = {field: Source(column=column) for field, (_, column) in ranked.items()}
    return _complete(Mapping(fields, label, scenario if label else None), columns)


def zone(name: str | None) -> tzinfo:
    """Find a time zone by its IANA name or offset; UTC for None.

    Raises
    ------
    MappingError
        Where there is none of that name.
    """
    if name is None:
        return UTC
    if name[:1] in "+-":
        try:
            offset = datetime.strptime(name, "%z").utcoffset()
        except ValueError as error:
            raise MappingError("timestamp", f"{name!r} is no offset such as +02:00") from error
        return timezone(offset) if offset is not None else UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MappingError(
            "timestamp", f"no time zone {name!r} on this machine; an offset such as +02:00 works"
        ) from error


def _source(key: str, value: object) -> Source:
    if key not in (*FIELDS, "label", "scenario"):
        raise MappingError(key, f"not a field; there are {', '.join(FIELDS)}, label and scenario")
    try:
        source = msgspec.convert({"column": value} if isinstance(value, str) else value, Source)
    except msgspec.ValidationError as error:
        raise MappingError(key, str(error)) from error
    if (source.column is None) == (source.value is None):
        raise MappingError(key, "needs a column or a value, and not both")
    _check_options(key, source)
    return source


def _check_options(key: str, source: Source) -> None:
    allowed = {"timestamp": ("s", "ms", "us"), "amount": ("minor",)}.get(key, ())
    if source.unit is not None and source.unit not in allowed:
        raise MappingError(key, f"unit {source.unit!r}; {' or '.join(allowed) if allowed else 'it has none'}")
    if key != "timestamp" and (source.format or source.timezone):
        raise MappingError(key, "format and timezone are for the timestamp")
    if key != "label" and source.fraud_values:
        raise MappingError(key, "fraud_values are for the label")
    if key == "timestamp":
        zone(source.timezone)
        try:
            has_zone = datetime.fromisoformat(source.origin).tzinfo is not None
        except ValueError as error:
            raise MappingError(key, f"origin {source.origin!r} is not RFC 3339") from error
        if not has_zone:
            raise MappingError(key, f"origin {source.origin!r} has no time zone")


def _complete(mapping: Mapping, columns: Sequence[str]) -> Mapping:
    missing = [field for field in REQUIRED if field not in mapping.fields]
    if missing:
        example = "\n".join(f"    {field}: <column>" for field in REQUIRED)
        raise MappingError(
            "$",
            f"no column for {', '.join(missing)}.\n"
            f"  The file has: {', '.join(columns)}\n"
            f"  Name them in a YAML file and give it as MAP=map.yaml:\n{example}\n"
            "    label: {column: <column>, fraud_values: ['1']}\n"
            "  Instead of a column, {value: ...} is the same for every row; lab/datasets/synccfd.yaml is an example.",
        )
    return mapping
