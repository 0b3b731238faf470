"""The mapping document, in YAML: which column of a file is which field, and how its values are written.

Each key is a field of the contract (``latitude``, ``longitude``, ``country`` and ``city`` for the parts of the location), or
``label``, ``scenario``, ``incident`` or ``appended_at``. Its value is the name of a column, or an object::

    transaction_id: NR
    user_id: CUSTOMER_ID
    amount: {column: cents, unit: minor}
    currency: {value: BRL}
    timestamp: {column: when, format: "%d/%m/%Y %H:%M", timezone: America/Sao_Paulo}
    channel: {column: kind, values: {CP: pos, CNP: online}}
    label: {column: is_fraud, fraud_values: ["1", "true"]}
    scenario: fraud_kind
    incident: case_no
    decimal: ","

Keys such as ``decimal`` say how the file as a whole is written (:mod:`contract.mapping.form`). Plain decimal numbers are read as text,
as they are written. What YAML reads as anything else, such as ``NO``, ``0742`` or ``12:30:45``, has to be in quotes. A column that no
key names is not used, even if its name is a known one. Only the bench reads ``label``, ``scenario``, ``incident`` and ``appended_at``:
what was fraud is never published.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from contract.errors import MappingError
from contract.mapping.columns import known_column
from contract.mapping.form import UNSAID, FileForm, parse_form
from contract.mapping.kinds import PAYMENTS
from contract.mapping.times import UNITS_US

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import yaml

    from contract.mapping.kinds import FileKind

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

_PARTS_OF_DIRECTIVE: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys("aAwHIpMSfzUWGuV%", ()),
    **dict.fromkeys("yY", ("year",)),
    **dict.fromkeys("mbB", ("month",)),
    "d": ("day",),
    "j": ("month", "day"),
    **dict.fromkeys("cx", ("year", "month", "day")),
    "X": (),
}
"""Directive of ``strptime`` to the parts of a date that it reads. ``%Z`` is not among them: the names of zones that it knows are
those of the machine, and it does not apply their offset."""

_TRUTH_VALUES: Final = ("trusted",)
"""Keys whose value is true or false."""

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a field's values come from, and how they are written."""

    column: str | None = None
    columns: tuple[str, ...] = ()
    """Several columns instead: their values joined, by spaces for times and by dashes for all others."""
    value: str | None = None
    """The same for every row, instead of a column."""
    values: dict[str, str] = {}
    """The column's value to the contract's, the empty text for a blank; a value that is not named stays as it is."""
    format: str | None = None
    """Times: as for ``strptime``, with a year, a month and a day."""
    timezone: str | None = None
    """Times: the zone of times that name none, as an IANA name or an offset such as ``+02:00``; UTC by default."""
    unit: str | None = None
    """Times: numbers count from ``origin``; ``amount``: ``minor`` for cents and their like."""
    origin: str = "1970-01-01T00:00:00Z"
    """Times: what a number counts from, RFC 3339."""
    year: str | None = None
    """Times: the year of a format that reads none, four digits."""
    fraud_values: tuple[str, ...] = ()
    """``label``: the column's values that mean fraud, in any case."""

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that it is read from."""
        return self.columns or (() if self.column is None else (self.column,))


class ColumnMapping(msgspec.Struct, frozen=True):
    """Sources by field, and of what only the bench reads."""

    fields: dict[str, Source]
    bench: dict[str, Source] = {}
    """What only the bench reads."""
    source: str = ""
    """The file that it was read from, for messages; empty where it was guessed."""
    is_guess: bool = False
    """Whether nobody wrote it: then values are read as without a mapping, where a column's name is all that is known."""
    form: FileForm = UNSAID
    """How the files are written."""

    @property
    def label(self) -> Source | None:
        """Which rows are fraud."""
        return self.bench.get("label")

    @property
    def scenario(self) -> Source | None:
        """Which kind of fraud it is."""
        return self.bench.get("scenario")

    @property
    def incident(self) -> Source | None:
        """Which attack a fraud belongs to, however many users it spans."""
        return self.bench.get("incident")

    @property
    def appended_at(self) -> Source | None:
        """When each payment arrived, for the backtest; without it the event times are trusted."""
        return self.bench.get("appended_at")

    def missing(self, fields: Collection[str]) -> list[str]:
        """Those of ``fields`` that have no source."""
        return [field for field in fields if field not in self.fields]

    def check_columns(self, columns: Collection[str]) -> None:
        """Check that a file has every column that is named, those that only the bench reads among them.

        Raises
        ------
        MappingError
            Naming the key and the column that does not exist, and the columns that do.
        """
        for key, source in {**self.fields, **self.bench}.items():
            for column in source.named:
                if column not in columns:
                    problem = f"no column {column!r}; the file has {', '.join(columns)}"
                    raise MappingError(key, problem, self.source)


def parse_mapping(text: str, source: str, kind: FileKind = PAYMENTS) -> ColumnMapping:
    """Read a mapping document.

    Parameters
    ----------
    text : str
        YAML.
    source : str
        The document's file, for messages.
    kind : FileKind
        What the files hold that it is for.

    Returns
    -------
    ColumnMapping
        Valid on its own; whether it fits a file, ``check_columns`` says.

    Raises
    ------
    MappingError
        Naming the file, the key at fault and what would be right.
    """
    try:
        document = _decoded(text)
        form = parse_form({key: document.pop(key) for key in kind.form_keys if key in document})
        sources = {str(key): _source(str(key), value, kind) for key, value in document.items()}
        bench = {key: sources.pop(key) for key in kind.bench_keys if key in sources}
        for key in ("scenario", "incident"):
            if key in bench and "label" not in bench:
                raise MappingError(key, "needs a label: which rows are fraud")
    except MappingError as error:
        raise MappingError(error.field, error.problem, source) from error
    return ColumnMapping(sources, bench, source, form=form)


def guess_mapping(columns: Sequence[str]) -> ColumnMapping:
    """Map columns by their names, with the names that :mod:`contract.mapping.columns` knows; it may lack required fields."""
    ranked: dict[str, tuple[int, str]] = {}
    bench: dict[str, Source] = {}
    for column in columns:
        word = column.strip().rstrip("?").lower().replace(" ", "_").replace("-", "_")
        if word in _LABELS:
            bench["label"] = Source(column=column)
        elif word in _SCENARIOS:
            bench["scenario"] = Source(column=column)
        elif (known := known_column(column)) is not None:
            ranked[known.field] = min(ranked.get(known.field, (known.rank, column)), (known.rank, column))
    fields = {field: Source(column=column) for field, (_, column) in ranked.items()}
    if "label" not in bench:
        bench.clear()
    return ColumnMapping(fields, bench, is_guess=True)


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
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder of zones
        raise MappingError(
            "timestamp", f"no time zone {name!r} on this machine; an offset such as +02:00 works"
        ) from error


def _decoded(text: str) -> dict[object, object]:
    # Imported here: every function's zip holds this package, and not every one holds PyYAML.
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, yaml.MappingNode):
            raise MappingError("$", "maps no fields to columns")
        _check_keys(root)
        for key, options in root.value:
            if key.value not in _TRUTH_VALUES:
                _read_as_text(str(key.value), options)
        document: dict[object, object] = yaml.SafeLoader("").construct_document(root)
    except yaml.YAMLError as error:
        raise MappingError("$", f"not YAML: {error}") from error
    return document


def _check_keys(root: yaml.MappingNode) -> None:
    """Refuse equal keys: of two, YAML keeps the last, without an error."""
    for node in (root, *_nodes_below(root)):
        keys = [str(key.value) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise MappingError(key, "exists twice")


def _read_as_text(key: str, node: yaml.Node, depth: int = 3) -> None:
    """Make every scalar of a field's options text as it is written: YAML reads ``0742`` as 482 and ``NO`` as false."""
    import yaml

    if depth == 0:  # deeper than a valid document; an alias can make it endless
        return
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for child in pair:
                _read_as_text(key, child, depth - 1)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _read_as_text(key, child, depth - 1)
    if not isinstance(node, yaml.ScalarNode) or node.tag in (_TAG + "str", _TAG + "merge"):
        return
    if node.tag not in (_TAG + "int", _TAG + "float") or _PLAIN_NUMBER.fullmatch(node.value) is None:
        written = repr(node.value) if node.value else "nothing"
        raise MappingError(key, f"{written} is neither text nor a plain decimal number; put it in quotes")
    node.tag = _TAG + "str"


def _nodes_below(root: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
    """Find the mappings within the options of each key: as deep as a valid document goes."""
    for _, options in root.value:
        if options.id == "mapping":
            yield options
            yield from (node for _, node in options.value if node.id == "mapping")


def _source(key: str, value: object, kind: FileKind) -> Source:
    if key not in (*kind.fields, *kind.bench_keys):
        there_are = ", ".join((*kind.fields, *kind.bench_keys, *kind.form_keys))
        raise MappingError(key, f"not a field; there are {there_are}")
    try:
        source = msgspec.convert({"column": value} if isinstance(value, str) else value, Source)
    except msgspec.ValidationError as error:
        raise MappingError(key, str(error)) from error
    if [source.column is None, not source.columns, source.value is None].count(False) != 1:
        raise MappingError(key, "needs a column, columns or a value, and only one of them")
    if len(set(source.columns)) < len(source.columns):
        raise MappingError(key, "names a column twice")
    if source.value is not None and not source.value.strip():
        raise MappingError(key, "its value is blank")
    _check_options(key, source, kind)
    return source


def _check_options(key: str, source: Source, kind: FileKind) -> None:
    units = tuple(UNITS_US) if key in kind.times else ("minor",) if key == "amount" else ()
    keys_of_option = {
        **dict.fromkeys(("format", "timezone", "origin", "year"), kind.times),
        "unit": (*kind.times, "amount"),
        "fraud_values": ("label",),
    }
    keys_of_kind = (*kind.fields, *kind.bench_keys)
    if source.unit is not None and source.unit not in units:
        there_are = f"there are {', '.join(units)}" if units else "it has none"
        raise MappingError(key, f"unit {source.unit!r}; {there_are}")
    for option in msgspec.to_builtins(source):
        keys = keys_of_option.get(option, (key,))
        if key not in keys:
            named = [f"the {each}" for each in keys if each in keys_of_kind]
            raise MappingError(key, f"{option} is for {' and '.join(named) or 'mappings of another kind'}")
    if source.unit is not None and source.format is not None:
        raise MappingError(key, "unit is for numbers and format for text; one of them")
    if key in kind.times:
        try:
            _check_time(source)
        except MappingError as error:
            raise MappingError(key, error.problem) from error


def _check_time(source: Source) -> None:
    zone(source.timezone)
    if source.year is not None and (not re.fullmatch("[0-9]{4}", source.year) or source.format is None):
        raise MappingError(
            "timestamp", f"year {source.year!r} is not four digits for a format without a year"
        )
    if source.format is not None:
        _check_format(source.format, source.year)
    try:
        has_zone = datetime.fromisoformat(source.origin).tzinfo is not None
    except ValueError as error:
        raise MappingError("timestamp", f"origin {source.origin!r} is not RFC 3339") from error
    if not has_zone:
        raise MappingError("timestamp", f"origin {source.origin!r} has no time zone")


def _check_format(written: str, year: str | None) -> None:
    """Refuse a format by which no row, or every row wrongly, would be read."""
    directives = re.findall(r"%(.?)", written, re.DOTALL)
    if "Z" in directives:
        raise MappingError("timestamp", "format has %Z, which depends on the machine; use %z or timezone")
    for directive in directives:
        if directive not in _PARTS_OF_DIRECTIVE:
            raise MappingError("timestamp", f"format has %{directive}, which strptime does not know")
    found = {part for directive in directives for part in _PARTS_OF_DIRECTIVE[directive]}
    if year is not None and "year" in found:
        raise MappingError("timestamp", f"format {written!r} has a year of its own")
    found |= {"year"} if year is not None else set()
    if missing := [part for part in ("year", "month", "day") if part not in found]:
        raise MappingError("timestamp", f"format {written!r} has no {' and no '.join(missing)}")
