"""Looks through the tables of labels in steps, and sets the cache's copies that are missing or old.

How far it has got is kept in the cache itself, and each step moves it only from where the step before left it. So a cache that has lost
its copies has lost that too, and the look begins anew; and what is said to be complete was copied into this very cache.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from common.metrics import emit
from contract.entity_ids import entity_name
from contract.errors import InvalidRowError
from contract.label_rows import is_day
from engine.entities import risk
from engine.profile import verdict_list
from label_upkeep.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from cache.label_copies import LabelCopies
    from common.metrics import MetricSink
    from common.unreadable_rows import UnreadableRows
    from label_upkeep.store import Page

FORMATS: Final = (risk.FORMAT, *verdict_list.FORMAT)
"""Copies of other formats are of another version of the functions. The score stage cannot read them, so a look replaces them at once."""

ROWS_A_STEP: Final = 500
"""Rows that are read before the place is written down."""

_A_USER: Final = "the labels of a user"
"""What the log says in the place of a user's id, which is personal. `make relabel` prints the keys of labels that cannot be read."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a look has got, as JSON in the cache."""

    began_s: float
    """When the look began, s since the epoch; it distinguishes two looks."""
    table: int = 0
    """Number of the table, in the order of the look."""
    after: dict[str, Any] | None = None
    """Key of the last row that was looked at, in DynamoDB's wire form; None at the beginning of a table."""
    is_done: bool = False
    """Everything was looked at."""
    formats: tuple[int, ...] = ()
    """In which formats copies were compared: of risk, and of lists of verdicts."""


class Table(msgspec.Struct, frozen=True):
    """A table whose partitions have copies."""

    name: str
    """In this environment."""
    partition: str
    """Its partition key."""


class Pages(Protocol):
    """The call that reads a table in parts; see :class:`label_upkeep.store.UpkeepTables`."""

    def page(self, table: str, partition: str, after: Mapping[str, Any] | None, limit: int) -> Page:
        """Read which partitions a part of a table has."""
        ...


class Copies(Protocol):
    """The calls that make copies from the tables; see :class:`cache.copier.Copier`."""

    def copy(self, entity_ids: Sequence[str], user_ids: Sequence[str]) -> None:
        """Bring copies up to date."""
        ...

    def read(
        self, entity_ids: Sequence[str], user_ids: Sequence[str]
    ) -> tuple[dict[bytes, bytes | None], dict[str, bytes | None]]:
        """Make copies from the tables."""
        ...


class Cache(Protocol):
    """The calls that read the cache; see :class:`cache.label_copies.RedisLabelCopies`. They raise CacheUnavailableError."""

    def read(self, entity_ids: Sequence[bytes], user_ids: Sequence[str]) -> LabelCopies:
        """Read copies as they are."""
        ...

    def renew(self, risks: Mapping[bytes, bytes], verdicts: Mapping[str, bytes]) -> None:
        """Keep copies for longer that are still as they were read."""
        ...

    def is_complete(self) -> bool:
        """Whether everything is copied."""
        ...

    def look(self) -> bytes:
        """How far the tables are looked through."""
        ...

    def move_look(self, before: bytes, after: bytes, *, is_complete: bool = False) -> bool:
        """Say how far the tables are looked through."""
        ...


class Look:
    """Looks through all copies, from time to time and whenever the cache does not say that they are complete.

    Parameters
    ----------
    pages : Pages
        The tables in parts.
    copies : Copies
        Makes copies.
    cache : Cache
        Holds them, and the place.
    entity_risk, labels : str
        The tables' names in this environment.
    every : timedelta
        From one look to the next.
    metrics : MetricSink
        Powertools' Metrics.
    unreadable : UnreadableRows
        Gets the entities and users of whom a row cannot be read. Their copies stay as they are.
    """

    def __init__(
        self,
        pages: Pages,
        copies: Copies,
        cache: Cache,
        entity_risk: str,
        labels: str,
        every: timedelta,
        metrics: MetricSink,
        unreadable: UnreadableRows,
    ) -> None:
        self._pages = pages
        self._copies = copies
        self._cache = cache
        self._tables = (Table(entity_risk, "entity_id"), Table(labels, "user_id"))
        self._every = every
        self._metrics = metrics
        self._unreadable = unreadable

    def go_on(self, now: datetime, has_time: Callable[[], bool]) -> None:
        """Look further, as far as there is time.

        Raises
        ------
        CacheUnavailableError
            When the cache did not answer. The next run goes on.
        CopyContentionError, ClientError, BotoCoreError
            When a step could not be done. The next run begins it again.
        """
        written = self._cache.look()
        place = _read(written)
        is_complete = self._cache.is_complete()
        emit(self._metrics, Metric.COPIES_INCOMPLETE, int(not is_complete))
        if (
            place is None
            or place.formats != FORMATS
            or (place.is_done and (not is_complete or self._is_old(place, now)))
        ):
            # Written before the first step: its copies may be lost as well.
            place = Place(now.timestamp(), formats=FORMATS)
            written = self._moved(written, place)
        while written and not place.is_done and has_time():
            place = self._step(place)
            written = self._moved(written, place)

    def _moved(self, before: bytes, place: Place) -> bytes:
        """Write a place down; empty where the cache has lost what was copied. The next run begins anew then."""
        encoded = msgspec.json.encode(place)
        return encoded if self._cache.move_look(before, encoded, is_complete=place.is_done) else b""

    def _is_old(self, place: Place, now: datetime) -> bool:
        return now.timestamp() - place.began_s >= self._every.total_seconds()

    def _step(self, place: Place) -> Place:
        table = self._tables[place.table]
        page = self._pages.page(table.name, table.partition, place.after, ROWS_A_STEP)
        if table.partition == "entity_id":
            self._compare([each for each in page.partitions if not is_day(each)], [])
        else:
            # Where the only label was withdrawn no row is left, and a replica that took over may still have the copy.
            self._compare(page.entity_ids, page.partitions)
        if page.after is not None:
            return msgspec.structs.replace(place, after=dict(page.after))
        following = place.table + 1
        if following == len(self._tables):
            return Place(place.began_s, is_done=True, formats=place.formats)
        return Place(place.began_s, table=following, formats=place.formats)

    def _compare(self, entity_ids: Sequence[str], user_ids: Sequence[str]) -> None:
        """Set those copies that are not what the tables say, and keep the others for longer."""
        risks, verdicts = self._made(entity_ids, user_ids)
        cached = self._cache.read(list(risks), list(verdicts))
        entities = [entity_name(each) for each, value in risks.items() if cached.risks.get(each) != value]
        users = [each for each, value in verdicts.items() if cached.verdicts.get(each) != value]
        self._cache.renew(
            {each: value for each, value in risks.items() if value and cached.risks.get(each) == value},
            {each: value for each, value in verdicts.items() if value and cached.verdicts.get(each) == value},
        )
        # One by one: labels that arrive meanwhile begin only their own copies again.
        for entity_id in entities:
            with self._left_out(entity_id):
                self._copies.copy([entity_id], [])
        for user_id in users:
            with self._left_out(_A_USER):
                self._copies.copy([], [user_id])
        emit(self._metrics, Metric.COPIES_CHECKED, len(entity_ids) + len(user_ids))
        emit(self._metrics, Metric.COPIES_REPAIRED, len(entities) + len(users))

    def _made(
        self, entity_ids: Sequence[str], user_ids: Sequence[str]
    ) -> tuple[dict[bytes, bytes | None], dict[str, bytes | None]]:
        """Make copies from the tables, without those of which a row cannot be read: it would keep all others from ever being compared."""
        risks: dict[bytes, bytes | None] = {}
        verdicts: dict[str, bytes | None] = {}
        for entity_id in entity_ids:
            with self._left_out(entity_id):
                risks |= self._copies.read([entity_id], [])[0]
        for user_id in user_ids:
            with self._left_out(_A_USER):
                verdicts |= self._copies.read([], [user_id])[1]
        return risks, verdicts

    @contextmanager
    def _left_out(self, row: str) -> Iterator[None]:
        """Leave out what is done inside where a row cannot be read."""
        try:
            yield
        except InvalidRowError as error:
            self._unreadable.leave_out(error, row)


def _read(written: bytes) -> Place | None:
    try:
        return msgspec.json.decode(written, type=Place)
    except msgspec.DecodeError:
        return None
