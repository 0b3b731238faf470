"""Rows of ``rollout_counts``: what a process counted of a ruleset in some seconds, and what all of them counted in an hour.

The partition is the digest of the ruleset's document. Each row is written once: a process writes what it counted since its last row.
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
            return datetime.fromisoformat(key.removeprefix(PART).partition("#")[0])
    except ValueError as error:
        raise InvalidRowError(ROLLOUT_COUNTS_TABLE, "count_key", "is no time") from error
    raise InvalidRowError(ROLLOUT_COUNTS_TABLE, "count_key", f"begins neither with {PART} nor with {HOUR}")


def counts_item(digest: str, key: str, counts: bytes, expires_at: datetime) -> dict[str, Any]:
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
    """
    return {
        "digest": {"S": digest},
        "count_key": {"S": key},
        "counts": {"B": counts},
        "expires_at": {"N": str(int(expires_at.timestamp()))},
    }
