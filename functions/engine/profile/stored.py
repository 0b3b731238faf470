"""How a profile is stored: a header with the lengths, the hours of the week, the payments that wait, then the columns; little-endian."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Final

from engine.geo import Fix
from engine.profile.amount_buckets import HabitBuckets, VelocityBuckets
from engine.profile.facts import HOURS_PER_WEEK
from engine.profile.habit_amounts import HabitAmounts
from engine.profile.migration import OLD_FORMAT, migrated
from engine.profile.packed_columns import ProfileFormatError, read_columns
from engine.profile.pending_payments import ROW_BYTES, PendingPayments
from engine.profile.profile import (
    DAYS_KEPT,
    HOURS_KEPT,
    MAX_DAY_ROWS,
    MAX_HOUR_ROWS,
    PARTITION_TYPECODES,
    Profile,
)
from engine.profile.recent_payments import RecentPayments
from engine.profile.seen_values import SeenValues

if TYPE_CHECKING:
    from array import array

FORMAT: Final = 3
"""Version of the stored form. Format 1 is read and migrated. A profile of another format counts as missing, and so does one of format 2,
which no release wrote: its columns had other widths, and its length may be one that this form has, too."""

_HEADER: Final = struct.Struct("<BBBBBBBBBb??xxIIIqqqqqQddqII")
if sys.byteorder != "little":
    raise ImportError("profiles are stored little-endian, as both of Lambda's architectures are")


def to_bytes(profile: Profile) -> bytes:
    """The stored form of a profile."""
    place = profile.last_place
    header = _HEADER.pack(
        FORMAT,
        len(profile.recent),
        len(profile.hours),
        len(profile.days),
        len(profile.habits),
        len(profile.habit_days),
        len(profile.seen),
        len(profile.pending),
        len(profile.verdicts),
        -len(profile.partitions) - 1 if place else len(profile.partitions),
        profile.is_behind_checkpoint,
        profile.has_old_values,
        profile.tx_count,
        profile.habit_count,
        profile.kept_count,
        profile.kept_at_ms,
        profile.first_clock_ms,
        profile.newest_at_ms,
        profile.taught_at_ms,
        profile.placed_at_ms,
        profile.placed_key_hash,
        place.latitude if place else 0.0,
        place.longitude if place else 0.0,
        place.at_ms if place else 0,
        profile.last_place_hash,
        profile.last_country_hash,
    )
    return b"".join((header, profile.hour_of_week, profile.pending.to_bytes(), *_columns(profile)))


def from_bytes(data: bytes) -> Profile:
    """Read a stored profile.

    Raises
    ------
    ProfileFormatError
        If the bytes are of another format, or truncated.
    """
    if data[:1] == bytes((OLD_FORMAT,)):
        return migrated(data)
    if len(data) < _HEADER.size or data[0] != FORMAT:
        raise ProfileFormatError(f"format {data[0] if data else 'none'}; this is {FORMAT}")
    (
        _,
        *lengths,
        partitions,
        is_behind_checkpoint,
        has_old_values,
        tx_count,
        habit_count,
        kept_count,
        kept_at_ms,
        first_clock_ms,
        newest_at_ms,
        taught_at_ms,
        placed_at_ms,
        placed_key_hash,
        latitude,
        longitude,
        place_at_ms,
        last_place_hash,
        last_country_hash,
    ) = _HEADER.unpack_from(data)
    recent, hours, days, habits, habit_days, seen, pending, verdicts = lengths
    has_place = partitions < 0
    layout = (
        (RecentPayments.TYPECODES, recent),
        (VelocityBuckets.TYPECODES, hours),
        (VelocityBuckets.TYPECODES, days),
        (HabitAmounts.TYPECODES, habits),
        (HabitBuckets.TYPECODES, habit_days),
        (SeenValues.TYPECODES, seen),
        ("Q", verdicts),
        (PARTITION_TYPECODES, -partitions - 1 if has_place else partitions),
    )
    profile = Profile.__new__(Profile)
    pending_at = _HEADER.size + HOURS_PER_WEEK
    columns_at = pending_at + pending * ROW_BYTES
    _set_columns(profile, read_columns(data, columns_at, layout))
    profile.hour_of_week = bytearray(data[_HEADER.size : pending_at])
    profile.pending = PendingPayments(data[pending_at:columns_at])
    profile.tx_count = tx_count
    profile.habit_count = habit_count
    profile.is_behind_checkpoint = is_behind_checkpoint
    profile.has_old_values = has_old_values
    profile.kept_count = kept_count
    profile.kept_at_ms = kept_at_ms
    profile.first_clock_ms = first_clock_ms
    profile.newest_at_ms = newest_at_ms
    profile.taught_at_ms = taught_at_ms
    profile.placed_at_ms = placed_at_ms
    profile.placed_key_hash = placed_key_hash
    profile.last_place = Fix(latitude, longitude, place_at_ms) if has_place else None
    profile.last_place_hash = last_place_hash
    profile.last_country_hash = last_country_hash
    return profile


def _columns(profile: Profile) -> tuple[array[int], ...]:
    return (
        *profile.recent.columns(),
        *profile.hours.columns(),
        *profile.days.columns(),
        *profile.habits.columns(),
        *profile.habit_days.columns(),
        *profile.seen.columns(),
        profile.verdicts,
        profile.partitions,
        profile.offsets,
    )


def _set_columns(profile: Profile, columns: list[array[int]]) -> None:
    """The counterpart of :func:`_columns`."""
    profile.recent = RecentPayments(*columns[:11])
    profile.hours = VelocityBuckets(HOURS_KEPT, MAX_HOUR_ROWS, *columns[11:17])
    profile.days = VelocityBuckets(DAYS_KEPT, MAX_DAY_ROWS, *columns[17:23])
    profile.habits = HabitAmounts(*columns[23:27])
    profile.habit_days = HabitBuckets(DAYS_KEPT, MAX_DAY_ROWS, *columns[27:33])
    profile.seen = SeenValues(*columns[33:37])
    profile.verdicts, profile.partitions, profile.offsets = columns[37:]
