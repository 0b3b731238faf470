"""Rows of ``rollout_counts``: what a process counted of a ruleset in some seconds, and what all of them counted in an hour.

The partition is the digest of the ruleset's document. Each row is written once: a process writes what it counted since its last row. A row that comes late, because
DynamoDB did not take it before, may belong to an hour that is added up. So another row says that it came, and the hour is added up anew.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contract.clock import time_text
from contract.errors import InvalidRowError

ROLLOUT_COUNTS_TABLE: Final = "rollout_counts"
PART: Final = "p#"
"""How the sort key of one process's counts begins; the time follows, UTC, 27 characters, ``#``, the process."""
HOUR: Final = "h#"
"""How the sort key of an hour's counts begins; the hour follows, as in ``2026-12-01T09``."""
LATE: Final = "l#"
"""How the sort key begins that says of an hour that a part of it was written late; the hour follows, ``#``, when that was, 27 characters, ``#``, the process."""

LATE_AFTER: Final = timedelta(minutes=2)
"""A part that is written so long after its time is late. Hours are added up some minutes after their end, so this leaves time for the call itself."""

SUMMED_AT: Final = "summed_at"
"""Attribute of an hour's row: when it was added up, 27 characters; the rows of earlier versions have none."""

PART_RETENTION: Final = timedelta(days=3)
"""How long a process's counts are kept; before that they are added up to their hour."""
HOUR_RETENTION: Final = timedelta(days=400)
"""How long the counts of an hour are kept."""

_HOUR_FORMAT: Final = "%Y-%m-%dT%H"


def part_key(at: datetime, process: str) -> str:
    """Sort key of what a process counted up to a time.

    Examples
    --------
    >>> part_key(datetime(2026, 12, 1, 9, 30, tzinfo=UTC), "0f")
    'p#2026-12-01T09:30:00.000000Z#0f'
    """
    return f"{PART}{time_text(at)}#{process}"


def parts_from(at: datetime) -> str:
    """Lowest sort key of what was counted up to a time or later."""
    return f"{PART}{time_text(at)}"


def hour_key(hour: datetime) -> str:
    """Sort key of the counts of an hour, given by its beginning or any time in it.

    Examples
    --------
    >>> hour_key(datetime(2026, 12, 1, 9, 30, tzinfo=UTC))
    'h#2026-12-01T09'
    """
    return f"{HOUR}{hour.astimezone(UTC).strftime(_HOUR_FORMAT)}"


def late_key(at: datetime, written_at: datetime, process: str) -> str:
    """Sort key of the row that says that a part was written late.

    Examples
    --------
    >>> late_key(datetime(2026, 12, 1, 9, 30, tzinfo=UTC), datetime(2026, 12, 1, 10, 15, tzinfo=UTC), "0f")
    'l#2026-12-01T09#2026-12-01T10:15:00.000000Z#0f'
    """
    hour = at.astimezone(UTC).strftime(_HOUR_FORMAT)
    return f"{LATE}{hour}#{time_text(written_at)}#{process}"


def times_of_late_key(key: str) -> tuple[datetime, datetime]:
    """When the hour of a late part began, and when the part was written; UTC. Raises as :func:`time_of_key`.

    Examples
    --------
    >>> [f"{each:%H:%M}" for each in times_of_late_key("l#2026-12-01T09#2026-12-01T10:15:00.000000Z#0f")]
    ['09:00', '10:15']
    """
    hour, _, rest = key.removeprefix(LATE).partition("#")
    return time_of_key(HOUR + hour), time_of_key(PART + rest)


def time_of_key(key: str) -> datetime:
    """When a part was written, or when an hour began; UTC.

    Raises
    ------
    InvalidRowError
        Where the key is none of either.
    """
    try:
        if key.startswith(HOUR):
            return datetime.strptime(key.removeprefix(HOUR), _HOUR_FORMAT).replace(tzinfo=UTC)
        if key.startswith(PART):
            return datetime.fromisoformat(key.removeprefix(PART).partition("#")[0]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRowError(ROLLOUT_COUNTS_TABLE, "count_key", "is no time") from error
    raise InvalidRowError(ROLLOUT_COUNTS_TABLE, "count_key", f"begins neither with {PART} nor with {HOUR}")


def counts_item(
    digest: str, key: str, counts: bytes, expires_at: datetime, summed_at: datetime | None = None
) -> dict[str, Any]:
    """Make a row in DynamoDB's wire form.

    Parameters
    ----------
    digest : str
        Of the ruleset's document, 12 hexadecimal digits.
    key : str
        As :func:`part_key` or :func:`hour_key` gives it.
    counts : bytes
        What was counted, in its stored form.
    expires_at : datetime
        When DynamoDB may delete the row.
    summed_at : datetime | None
        Of an hour: when it was added up.
    """
    summed = {} if summed_at is None else {SUMMED_AT: {"S": time_text(summed_at)}}
    return _item(digest, key, expires_at) | {"counts": {"B": counts}} | summed


def late_item(digest: str, at: datetime, written_at: datetime, process: str) -> dict[str, Any]:
    """Make the row that says that a part of a time was written late, in DynamoDB's wire form."""
    return _item(digest, late_key(at, written_at, process), at + PART_RETENTION)


def summed_at(item: dict[str, Any], hour: datetime) -> datetime:
    """When an hour's row was made, UTC; of a row that does not say so, when the hour began: it is added up anew once more than needed.

    Raises
    ------
    InvalidRowError
        Where it is no time.
    """
    stored = item.get(SUMMED_AT)
    if stored is None:
        return hour
    if "S" not in stored:
        raise InvalidRowError(ROLLOUT_COUNTS_TABLE, SUMMED_AT, "not of type S")
    return time_of_key(PART + stored["S"])


def _item(digest: str, key: str, expires_at: datetime) -> dict[str, Any]:
    return {
        "digest": {"S": digest},
        "count_key": {"S": key},
        "expires_at": {"N": str(int(expires_at.timestamp()))},
    }
