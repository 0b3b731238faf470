"""The state of one entity: counts in buckets of 5 minutes, hours and weeks, and the users seen last. At most 1.6 KB.

The state does not depend on the order in which payments are folded: first times are minima, last times maxima, counts and sums are
whole numbers, and what is dropped is what lies too far behind the newest bucket, or behind the newest users, whenever it came. The
script of the score stage folds the same on the cache's side (:mod:`score.entity_store`); a test compares both byte by byte.

How windows compare with every single payment: an hour is the payment's own 5 minutes and the twelve before, a day the payment's own
hour and the 24 before, the past the weeks before that day, at most five. Users are exact up to :data:`MAX_USERS`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT: Final = 1
BUCKET_S: Final = 300
HOUR_S: Final = 3_600
WEEK_S: Final = 604_800

MAX_USERS: Final = 32
"""How many users an entity remembers. With more in a window it is saturated: the window has so many users or more."""

BUCKETS_KEPT: Final = 13
HOURS_KEPT: Final = 25
WEEKS_KEPT: Final = 5

MAX_BYTES: Final = 12 + 28 * (BUCKETS_KEPT + HOURS_KEPT + WEEKS_KEPT) + 8 * MAX_USERS

_HEADER: Final = Struct("<5B3xI")
"""Format, numbers of buckets, hours, weeks and users, and the first payment's clock, s since the epoch."""
_COUNTS: Final = Struct("<5Id")
_NO_TIME: Final = 2**32 - 1
MAX_CLOCK_S: Final = _NO_TIME - 1
"""The latest clock, in 2106; a later one, which only a topic with its producers' times has, counts as this one."""


class EntityFormatError(Exception):
    """Bytes that are no entity's state of this format; names what they begin with."""


class Sighting(NamedTuple):
    """One payment as its entities count it; all of it follows from the payment's row."""

    clock_s: int
    """The payment's clock, s since the epoch."""
    user: int
    """:func:`engine.entities.kinds.user_hash` of its user."""
    is_micro: bool
    is_young: bool
    """The user's account was less than :data:`YOUNG_ACCOUNT_DAYS` old."""
    first_kinds: int
    """Bits by :class:`~engine.entities.kinds.EntityKind`: the user had no usual payment with this entity before."""
    cents: int
    """Amount in hundredths of the base currency; 0 without a rate."""


YOUNG_ACCOUNT_DAYS: Final = 7.0


class Counts(NamedTuple):
    """What happened at an entity in a bucket, an hour or a week."""

    number: int
    """Of the bucket since the epoch."""
    payments: int
    micro: int
    young: int
    first: int
    """Payments of users who had no usual payment with this entity before. Of a population: its entities that paid in the week."""
    cents: float
    """A whole number."""


class Entity:
    """What is known of one entity.

    Attributes
    ----------
    first_s : int
        Clock of the earliest payment, s since the epoch.
    buckets, hours, weeks : list[Counts]
        Ascending by number.
    users : list[int]
        Users seen last, by (last time, hash).
    seen_s : list[int]
        Their last payments' clocks, s since the epoch, in the same order.
    """

    __slots__ = ("_windows", "buckets", "first_s", "hours", "seen_s", "users", "weeks")

    def __init__(self) -> None:
        self.first_s = _NO_TIME
        self.buckets: list[Counts] = []
        self.hours: list[Counts] = []
        self.weeks: list[Counts] = []
        self.users: list[int] = []
        self.seen_s: list[int] = []
        self._windows: EntityWindows | None = None

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
            Whether it is the entity's first in its week: the population counts it as active then.
        """
        clock_s = sighting.clock_s
        micro, young = int(sighting.is_micro), int(sighting.is_young)
        first, cents = sighting.first_kinds >> kind & 1, float(sighting.cents)
        self.first_s = min(self.first_s, clock_s)
        add_counts(self.buckets, BUCKETS_KEPT, clock_s // BUCKET_S, 1, micro, young, first, cents)
        add_counts(self.hours, HOURS_KEPT, clock_s // HOUR_S, 1, micro, young, first, cents)
        is_active = add_counts(self.weeks, WEEKS_KEPT, clock_s // WEEK_S, 1, micro, young, first, cents)
        self.see(sighting.user, clock_s)
        windows = self._windows
        if windows is not None:
            # What lies behind the newest bucket may have been too old to be counted.
            if windows.bucket == clock_s // BUCKET_S == self.buckets[-1].number:
                windows.count(sighting, first)
            else:
                self._windows = None
        return is_active

    def fold_population(self, sighting: Sighting, active: int) -> None:
        """Count one payment of any entity of the kind, and how many of these (0 or 1) it made active in its week: weeks alone."""
        clock_s = sighting.clock_s
        self.first_s = min(self.first_s, clock_s)
        number, micro, young = clock_s // WEEK_S, int(sighting.is_micro), int(sighting.is_young)
        add_counts(self.weeks, WEEKS_KEPT, number, 1, micro, young, active, float(sighting.cents))

    def windows(self, clock_s: int) -> EntityWindows:
        """Give what lies before a payment of this clock; the same object until a payment of other 5 minutes is folded or asked for."""
        windows = self._windows
        if windows is None or windows.bucket != clock_s // BUCKET_S:
            windows = self._windows = EntityWindows(self, clock_s)
        return windows

    def users_since(self, after_s: int, until_s: int, but: int) -> int:
        """How many users paid in ``(after_s, until_s]``, ``but`` left out: at most :data:`MAX_USERS`."""
        seen = self.seen_s
        start = bisect_right(seen, after_s)
        stop = len(seen) if not seen or seen[-1] <= until_s else bisect_right(seen, until_s)
        return stop - start - (but in self.users[start:stop])

    def see(self, user: int, clock_s: int) -> None:
        """Remember that a user paid; beyond :data:`MAX_USERS`, forget the one seen longest ago."""
        users, seen = self.users, self.seen_s
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


class EntityWindows:
    """Counts up to a moment: of the last hour, of the last day, and of the weeks before that day.

    Attributes
    ----------
    bucket : int
        Number of the 5 minutes that the windows end with.
    known_s : int
        Since the entity's first payment, s.
    payments_1h, micro_1h
        Of the last hour.
    payments_24h, micro_24h, young_24h, first_24h, cents_24h
        Of the last day.
    past_payments, past_micro, past_young, past_cents
        Of the weeks before that day.
    past_hours : float
        How long these weeks are, from the first payment on; h, >= 0.
    """

    __slots__ = (
        "bucket", "cents_24h", "first_24h", "known_s", "micro_1h", "micro_24h", "past_cents", "past_hours",
        "past_micro", "past_payments", "past_young", "payments_1h", "payments_24h", "young_24h",
    )  # fmt: skip

    def __init__(self, entity: Entity, clock_s: int) -> None:
        self.bucket = bucket = clock_s // BUCKET_S
        _, self.payments_1h, self.micro_1h, *_ = _total(entity.buckets, bucket, BUCKETS_KEPT)
        hour = clock_s // HOUR_S
        day = _total(entity.hours, hour, HOURS_KEPT)
        _, self.payments_24h, self.micro_24h, self.young_24h, self.first_24h, self.cents_24h = day
        week = clock_s // WEEK_S
        weeks = _total(entity.weeks, week, WEEKS_KEPT)
        self.past_payments = max(weeks.payments - day.payments, 0)
        self.past_micro = max(weeks.micro - day.micro, 0)
        self.past_young = max(weeks.young - day.young, 0)
        self.past_cents = max(weeks.cents - day.cents, 0.0)
        begin_s = max(entity.first_s, (week - WEEKS_KEPT + 1) * WEEK_S)
        self.past_hours = max((hour - HOURS_KEPT + 1) * HOUR_S - begin_s, 0) / HOUR_S
        self.known_s = max(clock_s - entity.first_s, 0)

    def count(self, sighting: Sighting, first: int) -> None:
        """Count one more payment of these 5 minutes."""
        self.payments_1h += 1
        self.payments_24h += 1
        self.micro_1h += sighting.is_micro
        self.micro_24h += sighting.is_micro
        self.young_24h += sighting.is_young
        self.first_24h += first
        self.cents_24h += sighting.cents


def to_bytes(entity: Entity) -> bytes:
    """Write the state as the cache keeps it; equal states give equal bytes."""
    levels = (entity.buckets, entity.hours, entity.weeks)
    header = _HEADER.pack(FORMAT, *map(len, levels), len(entity.users), entity.first_s)
    counts = b"".join(_COUNTS.pack(*each) for level in levels for each in level)
    size = len(entity.users)
    return header + counts + Struct(f"<{2 * size}I").pack(*entity.users, *entity.seen_s)


def from_bytes(data: bytes) -> Entity:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    EntityFormatError
        For bytes of another format or length.
    """
    if len(data) < _HEADER.size or data[0] != FORMAT:
        raise EntityFormatError(f"entity state begins with {data[:5]!r}")
    _, buckets, hours, weeks, users, first_s = _HEADER.unpack_from(data)
    start, size = _HEADER.size, _COUNTS.size
    stop = start + size * (buckets + hours + weeks)
    if len(data) != stop + 8 * users:
        raise EntityFormatError(f"entity state of {len(data)} bytes, must have {stop + 8 * users}")
    entity = Entity()
    entity.first_s = first_s
    counts = [Counts(*each) for each in _COUNTS.iter_unpack(memoryview(data)[start:stop])]
    entity.buckets, entity.hours, entity.weeks = (
        counts[:buckets],
        counts[buckets : buckets + hours],
        counts[buckets + hours :],
    )
    seen = _seen(users).unpack_from(data, stop)
    entity.users, entity.seen_s = list(seen[:users]), list(seen[users:])
    return entity


_SEEN: Final = tuple(Struct(f"<{2 * size}I") for size in range(MAX_USERS + 1))


def _seen(users: int) -> Struct:
    if users > MAX_USERS:
        raise EntityFormatError(f"entity state of {users} users, at most {MAX_USERS}")
    return _SEEN[users]


def add_counts(
    level: list[Counts],
    kept: int,
    number: int,
    payments: int,
    micro: int,
    young: int,
    first: int,
    cents: float,
) -> bool:
    """Add to a bucket, and drop those that lie ``kept`` or more behind the newest.

    Returns
    -------
    bool
        Whether the bucket is a new one. What lies too far behind is not added.
    """
    place = len(level)
    if level and level[-1].number >= number:
        if number <= level[-1].number - kept:
            return False
        place = bisect_left(level, (number,))
        if level[place].number == number:
            _, more_payments, more_micro, more_young, more_first, more_cents = level[place]
            level[place] = Counts(
                number,
                payments + more_payments,
                micro + more_micro,
                young + more_young,
                first + more_first,
                cents + more_cents,
            )
            return False
    while level and level[0].number <= number - kept:
        del level[0]
        place -= 1
    level.insert(place, Counts(number, payments, micro, young, first, cents))
    return True


def _total(level: Sequence[Counts], last: int, kept: int) -> Counts:
    """Totals of the ``kept`` buckets that end with ``last``."""
    payments = micro = young = first = 0
    cents = 0.0
    for number, each_payments, each_micro, each_young, each_first, each_cents in level:
        if last - kept < number <= last:
            payments += each_payments
            micro += each_micro
            young += each_young
            first += each_first
            cents += each_cents
    return Counts(last, payments, micro, young, first, cents)
