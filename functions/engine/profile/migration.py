"""Profiles of format 1, as the version before this one stored them: read once, stored in this version's form afterwards.

Format 1 knew one time of a payment, its event time, and let every payment teach. So each of its payments counts for velocity and
for habits, as it did then. A value that was seen over three days counts as seen three times, since how often is not known. Whether a payment named a device or a
payee is not known either: it counts as one that did not. Names keep the short hashes of format 1 until a usual payment names them again,
since the text that they were made of is not known.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Final

from engine.geo import Fix
from engine.profile.amount_buckets import MAX_COUNT, HabitBuckets, VelocityBuckets
from engine.profile.facts import HOURS_PER_WEEK
from engine.profile.named_fields import COUNTERPARTY, COUNTRY, PLACE
from engine.profile.packed_columns import ProfileFormatError, read_columns
from engine.profile.profile import (
    DAYS_KEPT,
    HOURS_KEPT,
    MAX_DAY_ROWS,
    MAX_HOUR_ROWS,
    PARTITION_TYPECODES,
    Profile,
)
from engine.profile.recent_payments import RecentPayments
from engine.profile.seen_values import FAMILIAR_AGE_S, FAMILIAR_COUNT, SeenValues

if TYPE_CHECKING:
    from collections.abc import Sequence

OLD_FORMAT: Final = 1
"""Version of the form that is read here."""

_HEADER: Final = struct.Struct("<BBBBBxxxQqqQddqIi")
_RECENT: Final = "qQqBIII"
_HOURS: Final = "IBIq"
_DAYS: Final = "IBIqQQ"
_SEEN: Final = "III"


def migrated(data: bytes) -> Profile:
    """Read a profile of format 1.

    Raises
    ------
    ProfileFormatError
        If the bytes are truncated.
    """
    if len(data) < _HEADER.size:
        raise ProfileFormatError(f"format {OLD_FORMAT} in {len(data)} bytes")
    (
        _,
        recent,
        hours,
        days,
        seen,
        tx_count,
        first_at_ms,
        last_at_ms,
        last_key_hash,
        latitude,
        longitude,
        place_at_ms,
        last_place_hash,
        partitions,
    ) = _HEADER.unpack_from(data)
    has_place = partitions < 0
    layout = (
        (_RECENT, recent),
        (_HOURS, hours),
        (_DAYS, days),
        (_SEEN, seen),
        (PARTITION_TYPECODES, -partitions - 1 if has_place else partitions),
    )
    start = _HEADER.size + HOURS_PER_WEEK
    columns = read_columns(data, start, layout)
    profile = Profile()
    profile.tx_count = profile.habit_count = tx_count
    profile.first_clock_ms = first_at_ms
    profile.taught_at_ms = profile.placed_at_ms = last_at_ms
    profile.placed_key_hash = last_key_hash
    profile.newest_at_ms = last_at_ms if tx_count else -1
    profile.last_place = Fix(latitude, longitude, place_at_ms) if has_place else None
    profile.last_place_hash = last_place_hash
    profile.hour_of_week = bytearray(data[_HEADER.size : start])
    _set_recent(profile, columns[:7])
    for counts in (9, 13):
        columns[counts] = array("H", (min(each, MAX_COUNT) for each in columns[counts]))
    profile.hours = VelocityBuckets(HOURS_KEPT, MAX_HOUR_ROWS, *columns[7:11], *_zeros("BB", hours))
    profile.days = VelocityBuckets(DAYS_KEPT, MAX_DAY_ROWS, *columns[11:15], *_zeros("BB", days))
    profile.habit_days = HabitBuckets(
        DAYS_KEPT, MAX_DAY_ROWS, *(array(c.typecode, c) for c in columns[11:17])
    )
    value, first_s, last_s = array("Q", columns[17]), *columns[18:20]
    count = array(
        "H",
        (
            FAMILIAR_COUNT if last - first >= FAMILIAR_AGE_S else 1
            for first, last in zip(first_s, last_s, strict=True)
        ),
    )
    profile.seen = SeenValues(value, first_s, last_s, count)
    profile.has_old_values = bool(value)
    profile.partitions, profile.offsets = columns[20:]
    return profile


def _set_recent(profile: Profile, columns: Sequence[array[int]]) -> None:
    times, key_hash, amount, currency, merchant, card, country = columns
    rows = len(times)
    (id_hash, content), decided = _zeros("IQ", rows), _zeros("BB", rows)
    profile.recent = RecentPayments(
        times, key_hash, id_hash, amount, currency, merchant, card, country, content, *decided
    )
    profile.last_country_hash = country[-1] if rows else 0
    for row in range(rows):
        named = (COUNTERPARTY if merchant[row] else 0) | (COUNTRY | PLACE if country[row] else 0)
        profile.habits.add(times[row] // 1000, amount[row], currency[row], named)


def _zeros(typecodes: str, rows: int) -> list[array[int]]:
    return [array(code, bytes(rows * array(code).itemsize)) for code in typecodes]
