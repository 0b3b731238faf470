"""The state of one entity: counts in buckets of 5 minutes, hours and weeks, and the users seen last. Up to 1.7 KB, seldom up to 2.4.

The state does not depend on the order in which payments are folded: first times are minima, last times maxima, counts and sums are
whole numbers, and what is dropped is what lies too far behind the newest bucket, or behind the newest users, whenever it came. The
script of the score stage folds the same on the cache's side (:mod:`score.entity_store`); a test compares both byte by byte.

Every payment counts in the short windows. What is *usual* is taught by approved payments alone: weeks count these, and of the others
no more than how many there were. So nobody who is stopped makes his next payments look usual. Hours of payments that were not approved
are kept beside all hours, since the past is the weeks without the approved payments of the last day; nearly always there are none.

How windows compare with every single payment: an hour is the payment's own 5 minutes and the twelve before, a day the payment's own
hour and the 24 before, the past the weeks before that day, at most six. Users are exact up to :data:`MAX_USERS`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from struct import Struct
from typing import Final, NamedTuple

from engine.entities.levels import (
    BUCKET_S,
    BUCKETS_KEPT,
    COUNTS,
    HOUR_S,
    HOURS_KEPT,
    WEEK_S,
    WEEKS_KEPT,
    Level,
    add_counts,
    last_buckets,
    number_at,
)
from engine.entities.past import Past

FORMAT: Final = 2
MAX_USERS: Final = 32
"""How many users an entity remembers. With more in a window it is saturated: the window has so many users or more."""

USER_BYTES: Final = 12
"""Of a user's hash. The hash has no key, so that a row alone says what its payment adds. With 96 bits nobody finds three users who are
counted as one: that takes 2^64 hashes."""

MAX_BYTES: Final = 16 + 28 * (BUCKETS_KEPT + 2 * HOURS_KEPT + WEEKS_KEPT) + (USER_BYTES + 4) * MAX_USERS

_HEADER: Final = Struct("<6B2xII")
"""Format, numbers of buckets, hours, weeks, hours of stopped payments and users, and the clocks of the first payment and of the first
approved one, s since the epoch."""
_SIZE: Final = COUNTS.size
_USER_SIZE: Final = USER_BYTES + 4
_SEEN: Final = tuple(Struct("<" + f"{USER_BYTES}s" * size + f"{size}I") for size in range(MAX_USERS + 1))
"""By number of users: their hashes, then their clocks."""
NO_TIME: Final = 2**32 - 1
"""In place of the first payment's clock where there is none."""
MAX_CLOCK_S: Final = NO_TIME - 1
"""The latest clock, in 2106; a later one, which only a topic with its producers' times has, counts as this one."""


class EntityFormatError(Exception):
    """Bytes that are no entity's state of this format; names what they begin with."""


class Sighting(NamedTuple):
    """One payment as its entities count it; all of it follows from the payment's row."""

    clock_s: int
    """The payment's clock, s since the epoch."""
    user: bytes
    """:func:`engine.entities.kinds.user_hash` of its user."""
    is_micro: bool
    is_young: bool
    """The user's account was less than :data:`YOUNG_ACCOUNT_DAYS` old."""
    first_kinds: int
    """Bits by :class:`~contract.entity_ids.EntityKind`: the user had no usual payment with this entity before."""
    cents: int
    """Amount in hundredths of the base currency; 0 without a rate."""
    is_approved: bool = True
    """Whether it teaches what is usual."""


YOUNG_ACCOUNT_DAYS: Final = 7.0


class Entity:
    """What is known of one entity, as it is stored.

    Parameters
    ----------
    first_s : int
        Clock of the earliest payment, s since the epoch; :data:`NO_TIME` for none.
    approved_s : int
        Clock of the earliest approved one.
    buckets, hours, weeks : Level
        What happened in 5 minutes, hours and weeks.
    stopped : Level
        The part of ``hours`` that was not approved.
    seen : bytes
        Hashes of the users seen last, by (last time, hash), then the clocks of their last payments, s since the epoch.
    """

    __slots__ = ("_past", "approved_s", "buckets", "first_s", "hours", "seen", "stopped", "weeks")

    def __init__(
        self,
        first_s: int = NO_TIME,
        approved_s: int = NO_TIME,
        buckets: Level = b"",
        hours: Level = b"",
        weeks: Level = b"",
        stopped: Level = b"",
        seen: bytes = b"",
    ) -> None:
        self.first_s = first_s
        self.approved_s = approved_s
        self.buckets = buckets
        self.hours = hours
        self.weeks = weeks
        self.stopped = stopped
        self.seen = seen
        self._past: tuple[int, Past] | None = None
        """What was asked for last, and for which clock: several features of a payment ask."""

    def fold(self, sighting: Sighting, kind: int) -> bool:
        """Count one payment.

        Parameters
        ----------
        sighting : Sighting
            The payment.
        kind : int
            The entity's kind, which says whether the payment is its user's first here.

        Returns
        -------
        bool
            Whether it is the entity's first approved one in its week: the population counts it as active then.
        """
        clock_s, user, micro, young, first_kinds, cents, is_approved = sighting
        self._past = None
        counts = (1, micro, young, first_kinds >> kind & 1, cents)
        self.buckets, _ = add_counts(self.buckets, BUCKETS_KEPT, clock_s // BUCKET_S, counts)
        self.hours, _ = add_counts(self.hours, HOURS_KEPT, clock_s // HOUR_S, counts)
        self.see(user, clock_s)
        self.first_s = min(self.first_s, clock_s)
        if is_approved:
            self.approved_s = min(self.approved_s, clock_s)
            of_week: tuple[int, int, int, int, int] = (1, micro, young, 0, cents)
        else:
            self.stopped, _ = add_counts(self.stopped, HOURS_KEPT, clock_s // HOUR_S, counts)
            of_week = _ONE_STOPPED
        if self.stopped:  # no longer than the hours that they are a part of
            self.stopped = last_buckets(self.stopped, number_at(self.hours, -_SIZE), HOURS_KEPT)
        self.weeks, is_active = add_counts(self.weeks, WEEKS_KEPT, clock_s // WEEK_S, of_week)
        return is_active

    def fold_population(self, sighting: Sighting, active: int) -> None:
        """Count one payment of any entity of the kind, and how many of these (0 or 1) it made active in its week: weeks alone.

        One that was not approved moves the newest week, as it does at its entity, and counts nothing.
        """
        clock_s, _, micro, young, _, cents, is_approved = sighting
        counts = (0, 0, 0, 0, 0)
        self.first_s = min(self.first_s, clock_s)
        if is_approved:
            self.approved_s = min(self.approved_s, clock_s)
            counts = (1, micro, young, active, cents)
        self.weeks, _ = add_counts(self.weeks, WEEKS_KEPT, clock_s // WEEK_S, counts)

    def see(self, user: bytes, clock_s: int) -> None:
        """Remember that a user paid; beyond :data:`MAX_USERS`, forget the one seen longest ago."""
        size = len(self.seen) // _USER_SIZE
        numbers = _SEEN[size].unpack(self.seen)
        users, seen = list(numbers[:size]), list(numbers[size:])
        if user in users:
            place = users.index(user)
            if seen[place] >= clock_s:
                return
            del users[place], seen[place]
        place = bisect_left(seen, clock_s)
        while place < len(seen) and seen[place] == clock_s and users[place] < user:
            place += 1
        users.insert(place, user)
        seen.insert(place, clock_s)
        if len(users) > MAX_USERS:
            del users[0], seen[0]
        self.seen = _SEEN[len(users)].pack(*users, *seen)

    def users_with(self, user: bytes, until_s: int, windows_s: tuple[int, ...]) -> tuple[int, ...]:
        """Count the users who paid in windows that end with ``until_s``; ``user`` among them, whether they paid or not.

        Parameters
        ----------
        user : bytes
            The payment's own user, as :class:`Sighting` has it.
        until_s : int
            Its clock.
        windows_s : tuple[int, ...]
            How long the windows are, s.

        Returns
        -------
        tuple[int, ...]
            As long as the windows; each 1 to :data:`MAX_USERS` + 1. Where users who paid later, in a partition that is ahead, may have
            displaced some of a window, it counts as full: else 32 of them would hide all who pay in the partition behind.
        """
        size = len(self.seen) // _USER_SIZE
        numbers = _SEEN[size].unpack(self.seen)
        if size == 0 or (size == 1 and numbers[0] == user):  # nearly always, but at merchants and networks
            return _ONE_USER[len(windows_s)]
        end = 2 * size
        stop = end if numbers[-1] <= until_s else bisect_right(numbers, until_s, size, end)
        own = numbers.index(user, 0, size) + size if user in numbers[:size] else end
        counts = []
        for window_s in windows_s:
            start = bisect_right(numbers, until_s - window_s, size, stop)
            is_displaced = size == MAX_USERS and start == size and stop < end
            counts.append(MAX_USERS if is_displaced else stop - start + (not start <= own < stop))
        return tuple(counts)

    def last_hour(self, clock_s: int) -> Level:
        """Give the 5 minutes of the hour before a payment of this clock."""
        return last_buckets(self.buckets, clock_s // BUCKET_S, BUCKETS_KEPT)

    def past(self, clock_s: int) -> Past:
        """Give the last day before a payment of this clock, and the weeks before that day."""
        if self._past is not None and self._past[0] == clock_s:
            return self._past[1]
        hour, week = clock_s // HOUR_S, clock_s // WEEK_S
        begin_s = max(self.approved_s, (week - WEEKS_KEPT + 1) * WEEK_S)
        past_s = (hour - HOURS_KEPT + 1) * HOUR_S - begin_s
        past = Past(
            last_buckets(self.weeks, week, WEEKS_KEPT),
            last_buckets(self.hours, hour, HOURS_KEPT),
            last_buckets(self.stopped, hour, HOURS_KEPT),
            past_s / HOUR_S if past_s > 0 else 0.0,
        )
        self._past = clock_s, past
        return past


_ONE_STOPPED: Final = (0, 0, 0, 1, 0)
_ONE_USER: Final = tuple((1,) * size for size in range(4))


def to_bytes(entity: Entity) -> bytes:
    """Write the state as the cache keeps it; equal states give equal bytes."""
    buckets, hours, weeks, stopped, seen = (
        entity.buckets,
        entity.hours,
        entity.weeks,
        entity.stopped,
        entity.seen,
    )
    header = _HEADER.pack(
        FORMAT,
        len(buckets) // _SIZE,
        len(hours) // _SIZE,
        len(weeks) // _SIZE,
        len(stopped) // _SIZE,
        len(seen) // _USER_SIZE,
        entity.first_s,
        entity.approved_s,
    )
    return b"".join((header, buckets, hours, weeks, stopped, seen))


def from_bytes(data: bytes) -> Entity:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    EntityFormatError
        For bytes of another format or length.
    """
    if len(data) < _HEADER.size or data[0] != FORMAT:
        raise EntityFormatError(f"entity state begins with {data[:5]!r}")
    _, buckets, hours, weeks, stopped, users, first_s, approved_s = _HEADER.unpack_from(data)
    hours_at = _HEADER.size + _SIZE * buckets
    weeks_at = hours_at + _SIZE * hours
    stopped_at = weeks_at + _SIZE * weeks
    seen_at = stopped_at + _SIZE * stopped
    size = seen_at + _USER_SIZE * users
    if len(data) != size:
        raise EntityFormatError(f"entity state of {len(data)} bytes, must have {size}")
    if buckets > BUCKETS_KEPT or hours > HOURS_KEPT or weeks > WEEKS_KEPT or stopped > HOURS_KEPT:
        raise EntityFormatError(
            f"entity state of {buckets} buckets, {hours} hours, {weeks} weeks and {stopped} hours of stopped payments"
        )
    if users > MAX_USERS:
        raise EntityFormatError(f"entity state of {users} users, at most {MAX_USERS}")
    return Entity(
        first_s,
        approved_s,
        data[_HEADER.size : hours_at],
        data[hours_at:weeks_at],
        data[weeks_at:stopped_at],
        data[stopped_at:seen_at],
        data[seen_at:],
    )
