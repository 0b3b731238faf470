"""Entities in Redis or Valkey: what a batch adds to them is counted once, by one script, however often the batch is delivered.

Each partition has a mark: the offset up to which its payments are counted. The script adds only where every mark is still the one
that the additions were made for, and moves the marks in the same step. So a batch that is delivered again, or a writer that comes
late, adds nothing twice, and batches of different partitions add to the same merchant without losing anything.

A mark that is missing, lies before the batch, or moves back under it, shows that payments were scored without the cache, or that the cache lost data. The
time since when the state is complete is then moved up, and features say so (``entities_partial``).

All keys are in the slot of the profiles (0016). Over several shards each slot would have marks of its own: one entity, one slot (0024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import redis

from cache.primary import ENTITY_PREFIX
from common.errors import CacheUnavailableError
from engine.entities.levels import BUCKETS_KEPT, HOURS_KEPT, WEEKS_KEPT
from engine.entities.state import FORMAT, MAX_USERS, NO_TIME, USER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMPLETE_SINCE_KEY: Final = b"entities:{1}:complete_since"
RETENTION_S: Final = 40 * 86_400
"""How long an entity without payments is kept: longer than its longest window."""

# Each entity is read, added to and written; :mod:`engine.entities.state` has the layout and is what the additions are tested against.
# The newest bucket of each level, and users who come last, are the usual case: they touch the end of a string and nothing else.
_SCRIPT: Final = """
local unpack, pack, sub, find, floor = struct.unpack, struct.pack, string.sub, string.find, math.floor
local COUNTS = '<I4I4I4I4I4d'
local HASH = '>' .. ('I4'):rep(USER_BYTES / 4)

local function add(level, kept, number, payments, micro, young, first, cents)
  local size, from, at = #level, 1, nil
  if size > 0 then
    local newest = unpack('<I4', level, size - 27)
    if newest >= number then
      if number <= newest - kept then return level, false end
      at = size - 27
      local stored = newest
      while stored > number and at > 1 do
        at = at - 28
        stored = unpack('<I4', level, at)
      end
      if stored == number then
        local _, p, m, y, f, c = unpack(COUNTS, level, at)
        local sum = pack(COUNTS, number, p + payments, m + micro, y + young, f + first, c + cents)
        return sub(level, 1, at - 1) .. sum .. sub(level, at + 28), p == 0 and payments > 0
      end
      if stored < number then at = at + 28 end
      return sub(level, 1, at - 1) .. pack(COUNTS, number, payments, micro, young, first, cents) .. sub(level, at), payments > 0
    end
    while from < size and unpack('<I4', level, from) <= number - kept do from = from + 28 end
  end
  return sub(level, from) .. pack(COUNTS, number, payments, micro, young, first, cents), payments > 0
end

local function precedes(user, other)
  local ours, theirs = {unpack(HASH, user)}, {unpack(HASH, other)}
  for i = 1, USER_BYTES / 4 do
    if ours[i] ~= theirs[i] then return ours[i] < theirs[i] end
  end
  return false
end

local function see(users, seen, user, clock_s)
  local at = find(users, user, 1, true)
  while at and at % USER_BYTES ~= 1 do at = find(users, user, at + 1, true) end
  if at then
    local clock_at = (at - 1) / USER_BYTES * 4 + 1
    if unpack('<I4', seen, clock_at) >= clock_s then return users, seen end
    users = sub(users, 1, at - 1) .. sub(users, at + USER_BYTES)
    seen = sub(seen, 1, clock_at - 1) .. sub(seen, clock_at + 4)
  end
  local place = #seen / 4
  while place > 0 do
    local before = unpack('<I4', seen, 4 * place - 3)
    if before < clock_s then break end
    if before == clock_s and precedes(sub(users, USER_BYTES * (place - 1) + 1, USER_BYTES * place), user) then break end
    place = place - 1
  end
  users = sub(users, 1, USER_BYTES * place) .. user .. sub(users, USER_BYTES * place + 1)
  seen = sub(seen, 1, 4 * place) .. pack('<I4', clock_s) .. sub(seen, 4 * place + 1)
  if #seen > 4 * MAX_USERS then return sub(users, USER_BYTES + 1), sub(seen, 5) end
  return users, seen
end

local function text(key)
  local is_done, value = pcall(redis.call, 'GET', key)
  if is_done then return value end
  local problem = type(value) == 'table' and value.err or tostring(value)
  if not problem:find('WRONGTYPE', 1, true) then error(value) end
  return false
end

local partitions, ttl_s, added, gap_s = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local marks, is_other = {}, false
for i = 1, partitions do
  local stored = text(KEYS[1 + i])
  marks[i] = stored and stored:match('^%d+$') and tonumber(stored) or -1
  if marks[i] ~= tonumber(ARGV[3 + 2 * i]) then is_other = true end
end
if is_other then return marks end

local active, place = {}, 1
for i = partitions + 2, #KEYS do
  local key = KEYS[i]
  local value = text(key)
  local id = sub(key, ID_AT)
  local is_population = sub(id, 1, 1) == 'a'
  local kind = is_population and sub(id, 2, 2) or sub(id, 1, 1)
  local buckets, hours, weeks, stopped, users, seen, first_s, approved_s = '', '', '', '', '', '', NO_TIME, NO_TIME
  if value and #value >= 16 and value:byte(1) == STATE_FORMAT then
    local b, h, w, n, u, s, a = unpack('<BBBBBxxI4I4', value, 2)
    local hours_at = 17 + 28 * b
    local weeks_at = hours_at + 28 * h
    local stopped_at = weeks_at + 28 * w
    local users_at = stopped_at + 28 * n
    local seen_at = users_at + USER_BYTES * u
    if #value == seen_at + 4 * u - 1 then
      first_s, approved_s = s, a
      buckets, hours, weeks = sub(value, 17, hours_at - 1), sub(value, hours_at, weeks_at - 1), sub(value, weeks_at, stopped_at - 1)
      stopped, users, seen = sub(value, stopped_at, users_at - 1), sub(value, users_at, seen_at - 1), sub(value, seen_at)
    end
  end
  local approved_count, stopped_count, user_count, earliest_s, earliest_approved_s
  approved_count, stopped_count, user_count, earliest_s, earliest_approved_s, place = unpack('<I2I2I2I4I4', added, place)
  if earliest_s < first_s then first_s = earliest_s end
  if earliest_approved_s < approved_s then approved_s = earliest_approved_s end
  for i = 1, approved_count + stopped_count do
    local number, payments, micro, young, first, cents
    number, payments, micro, young, first, cents, place = unpack(COUNTS, added, place)
    local week = floor(number / 2016)
    local is_new
    if is_population then
      weeks = add(weeks, WEEKS_KEPT, week, payments, micro, young, 0, cents)  -- of stopped payments 0: they move the newest week
    else
      buckets = add(buckets, BUCKETS_KEPT, number, payments, micro, young, first, cents)
      hours = add(hours, HOURS_KEPT, floor(number / 12), payments, micro, young, first, cents)
      if i <= approved_count then
        weeks, is_new = add(weeks, WEEKS_KEPT, week, payments, micro, young, 0, cents)
      else
        stopped = add(stopped, HOURS_KEPT, floor(number / 12), payments, micro, young, first, cents)
        weeks, is_new = add(weeks, WEEKS_KEPT, week, 0, 0, 0, payments, 0)
      end
      if is_new then
        active[kind] = active[kind] or {}
        active[kind][week] = (active[kind][week] or 0) + 1
      end
    end
  end
  if #stopped > 0 then
    local from, behind = 1, unpack('<I4', hours, #hours - 27) - HOURS_KEPT
    while from < #stopped and unpack('<I4', stopped, from) <= behind do from = from + 28 end
    stopped = sub(stopped, from)
  end
  if is_population then
    for week, count in pairs(active[kind] or {}) do weeks = add(weeks, WEEKS_KEPT, week, 0, 0, 0, count, 0) end
  end
  for _ = 1, user_count do
    local last_s = unpack('<I4', added, place + USER_BYTES)
    users, seen = see(users, seen, sub(added, place, place + USER_BYTES - 1), last_s)
    place = place + USER_BYTES + 4
  end
  local header = pack('<BBBBBBxxI4I4', STATE_FORMAT, #buckets / 28, #hours / 28, #weeks / 28, #stopped / 28, #seen / 4, first_s, approved_s)
  redis.call('SET', key, header .. buckets .. hours .. weeks .. stopped .. users .. seen, 'EX', ttl_s)
end

for i = 1, partitions do redis.call('SET', KEYS[1 + i], ARGV[4 + 2 * i]) end
local since = text(KEYS[1])
if gap_s > (since and tonumber(since) or -1) then redis.call('SET', KEYS[1], gap_s) end
return {}
"""


class EntityMark(msgspec.Struct, frozen=True):
    """How far a partition's payments are counted, before and after an addition."""

    topic: str
    partition: int
    first: int
    """Offset of the first record that the batch can count. What lies between ``read`` and it is not counted, and will not be."""
    read: int
    """Offset of the last one counted, as it was read; -1 for none."""
    counted: int
    """Offset of the last one counted after the addition, >= ``read``."""


class EntityAdditions(msgspec.Struct, frozen=True):
    """What a batch adds."""

    marks: list[EntityMark]
    """One for each of the batch's partitions."""
    added: dict[bytes, bytes]
    """By entity id, as :func:`engine.entities.sightings.additions` makes it."""
    gap_s: int
    """Since when the state is complete, s since the epoch, where the batch found that payments are missing; 0 where it did not."""


class EntityStore(Protocol):
    """The call that the stage makes."""

    def add(self, additions: EntityAdditions) -> list[int]:
        """Count a batch, or return the marks as they are where one is not as it was read; CacheUnavailableError."""
        ...


class RedisEntityStore:
    """Entities in Redis.

    Parameters
    ----------
    client : redis.Redis
        Answering in bytes.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._script = client.register_script(_with_constants(_SCRIPT))

    def add(self, additions: EntityAdditions) -> list[int]:
        """Count a batch in one round trip, whole or not at all.

        Returns
        -------
        list[int]
            Empty where it is counted. Else the marks as they are, in the order of ``additions.marks``; nothing is counted then.

        Raises
        ------
        CacheUnavailableError
            Where Redis does not answer in time. Whether it counted is then unknown, and the marks show it.
        """
        keys = [COMPLETE_SINCE_KEY, *(mark_key(mark.topic, mark.partition) for mark in additions.marks)]
        keys += [ENTITY_PREFIX + entity_id for entity_id in additions.added]
        try:
            marks: list[int] = self._script(keys, list(_arguments(additions)))
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error
        return marks


def mark_key(topic: str, partition: int) -> bytes:
    """Key of a partition's mark."""
    return f"entities:{{1}}:{topic}/{partition}".encode()


def read_numbers(values: Sequence[bytes | None], missing: int) -> list[int]:
    """Read marks and times; ``missing`` in place of what is not there or no number."""
    return [int(value) if value and value.isdigit() else missing for value in values]


def _arguments(additions: EntityAdditions) -> Iterable[bytes | int]:
    yield len(additions.marks)
    yield RETENTION_S
    yield b"".join(additions.added.values())
    yield additions.gap_s
    for mark in additions.marks:
        yield mark.read
        yield mark.counted


def _with_constants(script: str) -> str:
    constants = {
        "ID_AT": len(ENTITY_PREFIX) + 1,
        "MAX_USERS": MAX_USERS,
        "NO_TIME": NO_TIME,
        "STATE_FORMAT": FORMAT,
        "USER_BYTES": USER_BYTES,
        "BUCKETS_KEPT": BUCKETS_KEPT,
        "HOURS_KEPT": HOURS_KEPT,
        "WEEKS_KEPT": WEEKS_KEPT,
    }
    for name, value in constants.items():
        script = script.replace(name, str(value))
    return script
