"""Ways to keep what is known of entities in the cache, each as the stage would use it; for :mod:`benchmarks.entity_state`.

Every way gives the same kind of answer: users and payments of an hour, a day and 30 days. Those of the sorted sets and of the sketches
lack micro amounts, young accounts and sums, which would take more keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol

from cache.primary import ENTITY_PREFIX
from engine.entities.levels import BUCKET_S, HOUR_S
from engine.entities.sightings import additions
from engine.entities.state import MAX_USERS
from score.entity_store import RETENTION_S, EntityAdditions, EntityMark, RedisEntityStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis

    from contract.entity_ids import EntityIds
    from engine.entities.state import Sighting

DAY_S: Final = 86_400
MONTH_S: Final = 30 * DAY_S
_TOPIC: Final = "bench"


class Seen(NamedTuple):
    """One payment at its entities."""

    ids: EntityIds
    sighting: Sighting
    offset: int
    """Of its record, and its name in sets of payments."""

    def entities(self) -> Iterator[bytes]:
        """The entities that it names."""
        return (each for each in self.ids if each is not None)


class Option(Protocol):
    """One way."""

    name: ClassVar[str]
    counts_all: ClassVar[bool]
    """Whether it has micro amounts, young accounts and sums, too."""

    def read(self, batch: Sequence[Seen]) -> int:
        """Read what the batch's features need; returns the number of round trips."""
        ...

    def write(self, batch: Sequence[Seen]) -> int:
        """Count the batch; returns the number of round trips."""
        ...


def _touched(batch: Sequence[Seen]) -> list[bytes]:
    return list(dict.fromkeys(entity_id for each in batch for entity_id in each.entities()))


class OneString:
    """(a) One string an entity, added to by one script a batch, under per-partition marks: what the stage does."""

    name: ClassVar[str] = "one string, one script"
    counts_all: ClassVar[bool] = True

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache
        self._store = RedisEntityStore(cache)
        self._counted = -1

    def read(self, batch: Sequence[Seen]) -> int:
        """One MGET."""
        self._cache.mget([ENTITY_PREFIX + entity_id for entity_id in _touched(batch)])
        return 1

    def write(self, batch: Sequence[Seen]) -> int:
        """One script. A batch that is counted already is refused by the mark."""
        mark = EntityMark(
            _TOPIC, 0, batch[0].offset, min(self._counted, batch[0].offset - 1), batch[-1].offset
        )
        self._store.add(EntityAdditions([mark], additions((each.ids, each.sighting) for each in batch), 0))
        self._counted = max(self._counted, batch[-1].offset)
        return 1


class SortedSets:
    """(b) Two sorted sets an entity, by clock: its users, and its payments."""

    name: ClassVar[str] = "sorted sets"
    counts_all: ClassVar[bool] = False

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache

    def read(self, batch: Sequence[Seen]) -> int:
        """Counts of an hour, a day and 30 days, in one pipeline."""
        pipe = self._cache.pipeline(transaction=False)
        clock_s = batch[-1].sighting.clock_s
        for entity_id in _touched(batch):
            for prefix in (b"u:{1}:", b"p:{1}:"):
                for window_s in (HOUR_S, DAY_S, MONTH_S):
                    pipe.zcount(prefix + entity_id, clock_s - window_s, clock_s)
        pipe.execute()
        return 1

    def write(self, batch: Sequence[Seen]) -> int:
        """Add, drop what is older than 30 days, keep for 40; in one pipeline."""
        pipe = self._cache.pipeline(transaction=False)
        for seen in batch:
            clock_s = seen.sighting.clock_s
            for entity_id in seen.entities():
                users, payments = b"u:{1}:" + entity_id, b"p:{1}:" + entity_id
                pipe.zadd(users, {seen.sighting.user: clock_s}, gt=True)
                pipe.zadd(payments, {seen.offset.to_bytes(6, "little"): clock_s})
                for key in (users, payments):
                    pipe.zremrangebyscore(key, "-inf", clock_s - MONTH_S)
                    pipe.expire(key, RETENTION_S)
        pipe.execute()
        return 1


_HASH_SCRIPT: Final = """
local mark = tonumber(redis.call('GET', KEYS[1]) or '-1')
if mark ~= tonumber(ARGV[1]) then return mark end
local place = 4
for i = 2, #KEYS, 2 do
  local counts, users = KEYS[i], KEYS[i + 1]
  for _ = 1, tonumber(ARGV[place]) do
    local clock_s, user, micro, young, first, cents = unpack(ARGV, place + 1, place + 6)
    for level, seconds in pairs({b = 300, h = 3600, w = 604800}) do
      local field = level .. math.floor(clock_s / seconds)
      redis.call('HINCRBY', counts, field .. 'n', 1)
      redis.call('HINCRBY', counts, field .. 'c', cents)
      if micro ~= '0' then redis.call('HINCRBY', counts, field .. 'm', micro) end
      if young ~= '0' then redis.call('HINCRBY', counts, field .. 'y', young) end
      if first ~= '0' then redis.call('HINCRBY', counts, field .. 'f', first) end
    end
    redis.call('ZADD', users, 'GT', clock_s, user)
    place = place + 6
  end
  place = place + 1
  if redis.call('HLEN', counts) > 60 then
    local now_s, old = tonumber(ARGV[place - 6]), {}
    for _, field in ipairs(redis.call('HKEYS', counts)) do
      local level, number = field:match('^(%a)(%d+)')
      local age_s = now_s - tonumber(number) * ({b = 300, h = 3600, w = 604800})[level]
      if age_s > ({b = 3900, h = 90000, w = 3024000})[level] then old[#old + 1] = field end
    end
    if #old > 0 then redis.call('HDEL', counts, unpack(old)) end
  end
  redis.call('ZREMRANGEBYRANK', users, 0, -MAX_USERS - 1)
  redis.call('EXPIRE', counts, ARGV[3])
  redis.call('EXPIRE', users, ARGV[3])
end
redis.call('SET', KEYS[1], ARGV[2])
return -2
"""


class Hashes:
    """(c) A hash of buckets and a sorted set of the last users an entity, written by one script under a mark."""

    name: ClassVar[str] = "hashes of buckets"
    counts_all: ClassVar[bool] = True

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache
        self._script = cache.register_script(_HASH_SCRIPT.replace("MAX_USERS", str(MAX_USERS)))
        self._counted = -1

    def read(self, batch: Sequence[Seen]) -> int:
        """All buckets and users, in one pipeline."""
        pipe = self._cache.pipeline(transaction=False)
        for entity_id in _touched(batch):
            pipe.hgetall(b"c:{1}:" + entity_id)
            pipe.zrange(b"u:{1}:" + entity_id, 0, -1, withscores=True)
        pipe.execute()
        return 1

    def write(self, batch: Sequence[Seen]) -> int:
        """One script. A batch that is counted already is refused by the mark."""
        by_entity: dict[bytes, list[Sighting]] = {}
        for seen in batch:
            for entity_id in seen.entities():
                by_entity.setdefault(entity_id, []).append(seen.sighting)
        read = min(self._counted, batch[0].offset - 1)
        keys = [b"mark:{1}"]
        arguments: list[int | bytes] = [read, batch[-1].offset, RETENTION_S]
        for entity_id, sightings in by_entity.items():
            keys += [b"c:{1}:" + entity_id, b"u:{1}:" + entity_id]
            arguments.append(len(sightings))
            for clock_s, user, micro, young, first, cents, _ in sightings:
                arguments += [clock_s, user, int(micro), int(young), first & 1, cents]
        self._script(keys, arguments)
        self._counted = max(self._counted, batch[-1].offset)
        return 1


class Sketches:
    """(d) HyperLogLogs: of users and of payments, by 5 minutes, hour and day."""

    name: ClassVar[str] = "HyperLogLogs"
    counts_all: ClassVar[bool] = False
    _LEVELS: ClassVar = ((b"b", BUCKET_S, 13), (b"h", HOUR_S, 25), (b"d", DAY_S, 31))
    """Letter, width in s, and how many make an hour, a day and 30 days."""

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache
        self.now_s = 0
        """Buckets that ended their window before this are not written: their keys would have expired."""

    def read(self, batch: Sequence[Seen]) -> int:
        """Counts of an hour, a day and 30 days, each from all its buckets, in one pipeline."""
        pipe = self._cache.pipeline(transaction=False)
        clock_s = batch[-1].sighting.clock_s
        for entity_id in _touched(batch):
            for what in (b"u", b"p"):
                for letter, width_s, size in self._LEVELS:
                    last = clock_s // width_s
                    pipe.pfcount(*(_sketch(what, letter, last - place, entity_id) for place in range(size)))
        pipe.execute()
        return 1

    def write(self, batch: Sequence[Seen]) -> int:
        """Add to each bucket, which lives as long as its window; in one pipeline."""
        pipe = self._cache.pipeline(transaction=False)
        for seen in batch:
            clock_s, user = seen.sighting.clock_s, seen.sighting.user
            for entity_id in seen.entities():
                for letter, width_s, size in self._LEVELS:
                    if clock_s // width_s + size <= self.now_s // width_s:
                        continue
                    for what, member in ((b"u", user), (b"p", seen.offset)):
                        key = _sketch(what, letter, clock_s // width_s, entity_id)
                        pipe.pfadd(key, member)
                        pipe.expire(key, width_s * (size + 1))
        pipe.execute()
        return 1


def _sketch(what: bytes, letter: bytes, number: int, entity_id: bytes) -> bytes:
    return b"%b%b%d:{1}:%b" % (what, letter, number, entity_id)


OPTIONS: Final = (OneString, SortedSets, Hashes, Sketches)
