"""Reads event times as files write them, and writes them as RFC 3339, where their form has only one meaning."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from contract.clock import EPOCH, time_text
from contract.errors import InvalidTransactionError
from contract.mapping.values import MAX_COUNT_DIGITS, NUMBER, spellings

if TYPE_CHECKING:
    from datetime import tzinfo

UNITS_US: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
"""Unit of a count to its microseconds."""

EPOCH_WINDOW_S: Final = (Decimal(1_262_304_000), Decimal(2_000_000_000))
"""Seconds since 1970 that a number of no stated unit may be, 2010 to May 2033; in milliseconds and microseconds the same years.

Beyond, ten digits can be a date without separators: 1124103000 is MMDDhhmmss, and 2026010512 is YYYYMMDDhh. A mapping's ``unit``
or ``format`` reads every time."""

STATED_EPOCH_YEARS: Final = (1990, 2100)
"""Years of times that a mapping counts from 1970, the later one excluded: seconds that are said to be milliseconds are all in 1970."""

_FACTORS: Final = tuple((Decimal(10) ** power, 10 ** (6 - power)) for power in (0, 3, 6))
_ZONELESS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?")
_LOCAL: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]+)?)?")
_WITH_OFFSET: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[ Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) ?"
    r"(?:(Z|z|UTC|GMT|utc)|([-+][0-9]{2}):?([0-9]{2})?)"
)
"""As databases and logs write it: ``+00``, ``+0000``, `` UTC``."""

_COUNT: Final = re.compile(r"[0-9]{8,}(?:\.[0-9]{1,9})?")
_DIGITS_OF_DIRECTIVE: Final = {"Y": 4, "j": 3, **dict.fromkeys("ymdHIMS", 2)}
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class TimeForm(NamedTuple):
    """How a mapping says that times are written."""

    zone: tzinfo
    """Of times that name none."""
    format: str | None = None
    """As for ``strptime``; None for RFC 3339, for local time as ``YYYY-MM-DD hh:mm:ss``, or for a number since the epoch."""
    unit_us: int | None = None
    """Microseconds of one unit: times are numbers since ``origin``; None where they are not."""
    origin: datetime = EPOCH
    year: str | None = None
    """The year of a format that reads none."""


def timestamp(value: object) -> str:
    """Write an event time as RFC 3339, where its form has only one meaning.

    RFC 3339 is returned as it is, for the contract to check. ``2026-01-05 12:30:00``, as databases write it, is read as
    UTC. The same with a ``T`` is not: it is RFC 3339 without its zone, which could be any zone.

    Parameters
    ----------
    value : object
        Text; or seconds, milliseconds or microseconds since 1970 within :data:`EPOCH_WINDOW_S`, as a number or as text.

    Raises
    ------
    InvalidTransactionError
        For a number of another range and for other types.

    Examples
    --------
    >>> timestamp("2026-01-05 12:30:00"), timestamp(1767616200), timestamp("1767616200123")
    ('2026-01-05 12:30:00Z', '2026-01-05T12:30:00+00:00', '2026-01-05T12:30:00.123000+00:00')
    >>> timestamp("2026-01-05 12:30:00+00"), timestamp("2026-01-05 12:30:00 UTC")
    ('2026-01-05 12:30:00+00:00', '2026-01-05 12:30:00Z')
    """
    if isinstance(value, str):
        text = value.strip()
        if _ZONELESS.fullmatch(text):
            return text + "Z"
        if (match := _WITH_OFFSET.fullmatch(text)) is not None:
            at, _, hours, minutes = match.groups()
            return f"{at}Z" if hours is None else f"{at}{hours}:{minutes or '00'}"
        return _from_epoch(Decimal(text)) if _COUNT.fullmatch(text) else text
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return _from_epoch(Decimal(value))
    raise InvalidTransactionError("timestamp", "neither text nor a number")


def timestamp_in(value: object, form: TimeForm) -> str:
    """Write an event time as RFC 3339 in UTC, where its form is known from a mapping.

    Without a format or a unit, this reads what :func:`timestamp` and the contract read, and in addition a local time in
    ``form.zone``: ``YYYY-MM-DD hh:mm``, with a space or a ``T``, with or without seconds. Every other form is refused: a date
    alone, for example, could be any hour.

    Where clocks are put back, an hour occurs twice; such a local time is read as the first. Where they are put forward, an hour
    does not exist; a local time in it is refused.

    Parameters
    ----------
    value : object
        Text, int or Decimal.
    form : TimeForm
        How it is written.

    Returns
    -------
    str
        27 characters, with microseconds.

    Raises
    ------
    InvalidTransactionError
        Where it is not written so.

    Examples
    --------
    >>> timestamp_in("05/01/2026 12:30", TimeForm(UTC, "%d/%m/%Y %H:%M"))
    '2026-01-05T12:30:00.000000Z'
    >>> timestamp_in("1.5", TimeForm(UTC, None, UNITS_US["h"], datetime(2026, 1, 5, tzinfo=UTC)))
    '2026-01-05T01:30:00.000000Z'
    """
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise InvalidTransactionError("timestamp", "neither text nor a number")
    try:
        at = _read_time(value, form)
        if at.tzinfo is None:
            at = _in_zone(at, form.zone)
        return time_text(at.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidTransactionError("timestamp", "not a time as the mapping says it is written") from error
    except msgspec.ValidationError as error:
        problem = "neither RFC 3339 nor YYYY-MM-DD hh:mm:ss; the mapping needs a format"
        raise InvalidTransactionError("timestamp", problem) from error


def width_of(form: str) -> int | None:
    """Count the characters of a format that separates no two of its numbers; None where it separates some, or is not fixed.

    ``strptime`` reads a number of one digit too, so ``105123000`` with ``%m%d%H%M%S`` would be October instead of January.

    >>> width_of("%y%m%d%H%M%S"), width_of("%d/%m/%Y"), width_of("%Y %m%d")
    (12, None, 9)
    """
    if re.search(r"%[a-zA-Z]%[a-zA-Z]", form) is None:
        return None
    width = len(re.sub("%.", "", form))
    for directive in re.findall("%(.)", form):
        if directive not in _DIGITS_OF_DIRECTIVE:
            return None
        width += _DIGITS_OF_DIRECTIVE[directive]
    return width


def _read_time(value: str | int | Decimal, form: TimeForm) -> datetime:
    """Read a time; it has no zone where none was written."""
    if form.unit_us is not None:
        return _counted(value, form.unit_us, form.origin)
    if form.format is not None:
        return _formatted(next(iter(spellings(value)), ""), form.format, form.year)
    if isinstance(value, str) and (local := _LOCAL.fullmatch(value.strip())) is not None:
        date, minute, second = local.groups(":00")
        return msgspec.convert(f"{date}T{minute}{second}", datetime)
    return msgspec.convert(timestamp(value), _Instant)


def _counted(value: str | int | Decimal, unit_us: int, origin: datetime) -> datetime:
    if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
        raise ValueError("not a number")
    number = Decimal(value)
    # The exponent first: 1e999999999 as an integer would fill the memory.
    if not number.is_finite() or number.adjusted() > MAX_COUNT_DIGITS:
        raise ValueError("not a time in any unit")
    at = origin + timedelta(microseconds=int(number * unit_us))
    first, end = STATED_EPOCH_YEARS
    if origin == EPOCH and not first <= at.year < end:
        raise InvalidTransactionError(
            "timestamp", f"counted from 1970 in the mapping's unit it is not in {first} to {end - 1}"
        )
    return at


def _formatted(written: str, form: str, year: str | None) -> datetime:
    width = width_of(form)
    if width is not None and len(written) != width:
        problem = f"{len(written)} characters; the mapping's format has {width}, zeros in front included"
        raise InvalidTransactionError("timestamp", problem)
    if year is not None:  # with the year in front, so that 29 February is read in a leap year
        written, form = f"{year} {written}", f"%Y {form}"
    return datetime.strptime(written, form)  # noqa: DTZ007 - the caller adds the zone, where there is none


def _in_zone(at: datetime, zone: tzinfo) -> datetime:
    local = at.replace(tzinfo=zone)  # its fold is 0: the first of two
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
        raise InvalidTransactionError(
            "timestamp", "a local time that does not exist: clocks were put forward"
        )
    return local


def _from_epoch(number: Decimal) -> str:
    first, end = EPOCH_WINDOW_S
    for factor, unit_us in _FACTORS:
        if number.is_finite() and first * factor <= number < end * factor:
            return (EPOCH + timedelta(microseconds=int(number * unit_us))).isoformat()
    raise InvalidTransactionError(
        "timestamp",
        "a number, and not s, ms or us since 1970 between 2010 and May 2033; a mapping can give its unit or format",
    )
