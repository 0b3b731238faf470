"""Profiles in Redis or Valkey: one read and one write a batch, by compare-and-set, with marks that reveal stale profiles.

Redis is a cache: it may be unavailable for a while, or return with old data. Profiles alone cannot show that, because the
offsets of one user's payments have gaps. So each partition has a progress mark, written by the script that writes the profiles:

``folded_to``
    all payments up to this offset of the partition are folded into the cached profiles;
``fresh_from``
    a profile that was folded last before this offset may lack payments. It is rebuilt when it is needed next.

A batch that begins after ``folded_to + 1`` shows that other batches were scored without the cache, or that the cache lost data.
It sets ``fresh_from`` to its own first offset.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Protocol, cast

import msgspec
import redis

from cache.label_copies import NO_COPIES, LabelCopies, copies_of
from cache.label_copies import keys_of as label_keys
from cache.primary import ENTITY_PREFIX, SLOT_TAG
from common.errors import CacheUnavailableError
from engine.entities.risk import has_risk
from engine.profile import Profile, ProfileFormatError, from_bytes, to_bytes
from score.entity_store import COMPLETE_SINCE_KEY, mark_key, read_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from score.delivery import Span

REVISION_BYTES: Final = 8
_SECONDS_PER_DAY: Final = 86_400
_MARK: Final = re.compile(rb"(-?[0-9]{1,19}):(-?[0-9]{1,19})")

# The revision is random, not a counter: a profile that was evicted and rebuilt would reach the same count again.
#
#   writer A                          writer B
#   reads profile, revision r
#                                     reads profile, revision r
#                                     writes, revision s
#   compares r with s: lost; reads again, folds the payments that B has not
#
# Progress advances only when no profile was lost, and never goes back.
#
# A mark that is lower than when it was read, or missing, shows that another server answers now: a replica that lagged behind.
# Its profiles lack payments. Nothing is written (-1), so that the next batch finds the gap.
#
# A profile that was missing when it was read was rebuilt up to this batch. If another writer has passed this batch meanwhile,
# and the profile is missing again, writing it would hide the payments that the other writer folded. It is left missing.
#
# A key of another type, or a mark that cannot be read, is a value of somebody else or of an older version: it counts as missing.
_WRITE_SCRIPT: Final = """
local function text(command, key, ...)
  local is_done, value = pcall(redis.call, command, key, ...)
  if is_done then return value end
  local problem = type(value) == 'table' and value.err or tostring(value)
  if not problem:find('WRONGTYPE', 1, true) then error(value) end
  return ''
end
local profiles, ttl_s = tonumber(ARGV[1]), ARGV[2]
local is_behind = false
local marks = {}
for i = profiles + 1, #KEYS do
  local at = 3 * i - profiles
  local folded_to, fresh_from, read_folded_to = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local stored = text('GET', KEYS[i]) or ''
  local stored_folded_to, stored_fresh_from = stored:match('^(-?%d+):(-?%d+)$')
  if stored_folded_to then
    if tonumber(stored_folded_to) < tonumber(read_folded_to) then return -1 end
    if tonumber(stored_folded_to) > tonumber(folded_to) then
      is_behind = true
      folded_to = stored_folded_to
    end
    if tonumber(stored_fresh_from) > tonumber(fresh_from) then fresh_from = stored_fresh_from end
  elseif tonumber(read_folded_to) >= 0 then
    return -1
  end
  marks[#marks + 1] = {KEYS[i], folded_to .. ':' .. fresh_from}
end
local lost = {}
for i = 1, profiles do
  local expected, value = ARGV[1 + 2 * i], ARGV[2 + 2 * i]
  if text('GETRANGE', KEYS[i], 0, 7) ~= expected then
    lost[#lost + 1] = i
  elseif expected ~= '' or not is_behind then
    redis.call('SET', KEYS[i], value, 'EX', ttl_s)
  end
end
if #lost == 0 then
  for _, mark in ipairs(marks) do redis.call('SET', mark[1], mark[2]) end
end
return lost
"""


class CachedProfile(msgspec.Struct):
    """A profile as the cache holds it; both fields are empty where it holds none."""

    body: bytes | None
    revision: bytes
    is_kept: bool = False
    """Written by :meth:`score.checkpoint_store.DynamoCheckpointStore.keep`, which moves no mark: the marks say nothing about this
    profile. It counts as stale until the rows behind it are folded."""


class PartitionProgress(msgspec.Struct, frozen=True):
    """How far a partition is folded into the cached profiles: its mark."""

    topic: str
    partition: int
    folded_to: int
    fresh_from: int
    read_folded_to: int = -1
    """The mark's ``folded_to`` when it was read, -1 for none. A write fails where the cache holds less by then."""


class CacheReading(msgspec.Struct):
    """The result of one read."""

    profiles: dict[str, CachedProfile]
    """By user."""
    progress: list[PartitionProgress]
    """As long as the requested spans, in their order; ``fresh_from`` is moved up where a gap was found."""
    entities: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    """State of the entities that the cache holds, by id."""
    counted_to: list[int] = msgspec.field(default_factory=list)
    """Offsets up to which the partitions' payments are counted by entities, as long as the spans; -1 for none."""
    complete_since_s: int = 0
    """Since when no payment is missing in the entities' state, s since the epoch; 0 where nothing says so."""
    labels: LabelCopies = NO_COPIES
    """What labels say of the users and entities."""


class ProfileWrite(msgspec.Struct):
    """A profile to be written, if the cached one is still the one that was read."""

    user_id: str
    profile: Profile
    expected_revision: bytes


class ProfileStore(Protocol):
    """The calls that the stage makes."""

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
    ) -> CacheReading:
        """Read all users' profiles, the partitions' progress, and entities with their marks and labels; CacheUnavailableError."""
        ...

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]) -> list[str]:
        """Write all; return the users whose profile has changed since it was read; CacheUnavailableError."""
        ...


class RedisProfileStore:
    """Profiles in Redis.

    Parameters
    ----------
    client : redis.Redis
        Answering in bytes.
    retention_days : int
        How long the profile of a user without payments is kept, days.
    """

    def __init__(self, client: redis.Redis, retention_days: int) -> None:
        self._client = client
        self._ttl_s = retention_days * _SECONDS_PER_DAY
        self._write_script = client.register_script(_WRITE_SCRIPT)

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
    ) -> CacheReading:
        """Read all profiles, entities, marks and what labels say in one round trip.

        Raises
        ------
        CacheUnavailableError
            Where Redis does not answer in time.
        """
        keys: list[str | bytes] = [_profile_key(user_id) for user_id in user_ids]
        keys += [_progress_key(span.topic, span.partition) for span in spans]
        if not keys:
            return CacheReading({}, [])
        risk_ids = [entity_id for entity_id in entity_ids if has_risk(entity_id)]
        if entity_ids:
            keys += [COMPLETE_SINCE_KEY, *(mark_key(span.topic, span.partition) for span in spans)]
            keys += [ENTITY_PREFIX + entity_id for entity_id in entity_ids]
            labels_at = len(keys)
            keys += label_keys(user_ids, risk_ids)
        try:
            values = cast("list[bytes | None]", self._client.mget(keys))
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error
        split = len(user_ids)
        profiles = {user_id: _cached(value) for user_id, value in zip(user_ids, values[:split], strict=True)}
        progress = [
            progress_before(span, _stored_mark(value))
            for span, value in zip(spans, values[split : split + len(spans)], strict=True)
        ]
        reading = CacheReading(profiles, progress)
        if entity_ids:
            entities_at = labels_at - len(entity_ids)
            since, *marks = values[split + len(spans) : entities_at]
            found = zip(entity_ids, values[entities_at:labels_at], strict=True)
            reading.entities = {entity_id: value for entity_id, value in found if value is not None}
            reading.counted_to = read_numbers(marks, -1)
            [reading.complete_since_s] = read_numbers([since], 0)
            reading.labels = copies_of(user_ids, risk_ids, values[labels_at:])
        return reading

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]) -> list[str]:
        """Write each profile whose revision is still the one that was read, in one round trip.

        Returns
        -------
        list[str]
            Users whose profile had changed. Their profiles were not written, nor the progress of any partition.

        Raises
        ------
        CacheUnavailableError
            Where Redis does not answer in time. Whether it wrote is then unknown, and the next read shows it. Also where its
            progress is behind what was read; nothing is written then.
        """
        if not writes and not progress:
            return []
        keys = [_profile_key(write.user_id) for write in writes]
        keys += [_progress_key(mark.topic, mark.partition) for mark in progress]
        try:
            lost: list[int] | int = self._write_script(keys, list(self._arguments(writes, progress)))
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error
        if isinstance(lost, int):
            raise CacheUnavailableError("WentBack")
        return [writes[index - 1].user_id for index in lost]

    def _arguments(
        self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]
    ) -> Iterable[bytes | int]:
        yield len(writes)
        yield self._ttl_s
        revisions = os.urandom(REVISION_BYTES * len(writes))
        for index, write in enumerate(writes):
            start = index * REVISION_BYTES
            yield write.expected_revision
            yield revisions[start : start + REVISION_BYTES] + to_bytes(write.profile)
        for mark in progress:
            yield mark.folded_to
            yield mark.fresh_from
            yield mark.read_folded_to


def read_profile(cached: CachedProfile) -> Profile | None:
    """Decode a cached profile; None where there is none, or one of another format."""
    if cached.body is None:
        return None
    try:
        return from_bytes(cached.body)
    except ProfileFormatError:
        return None


def progress_before(span: Span, mark: tuple[int, int] | None) -> PartitionProgress:
    """Progress of a partition as a batch finds it, with ``fresh_from`` moved up where a gap lies before the batch.

    Parameters
    ----------
    span : Span
        The batch's offsets.
    mark : tuple[int, int] | None
        The stored ``folded_to`` and ``fresh_from``; None where there is no mark.
    """
    if mark is None:
        return PartitionProgress(span.topic, span.partition, span.first - 1, span.first)
    folded_to, fresh_from = mark
    if span.first > folded_to + 1:
        return PartitionProgress(span.topic, span.partition, span.first - 1, span.first, folded_to)
    return PartitionProgress(span.topic, span.partition, folded_to, fresh_from, folded_to)


def _profile_key(user_id: str) -> str:
    return f"profile:{SLOT_TAG}:{user_id}"


def _progress_key(topic: str, partition: int) -> str:
    return f"progress:{SLOT_TAG}:{topic}/{partition}"


def _cached(value: bytes | None) -> CachedProfile:
    if value is None:
        return CachedProfile(None, b"")
    return CachedProfile(value[REVISION_BYTES:], value[:REVISION_BYTES])


def _stored_mark(value: bytes | None) -> tuple[int, int] | None:
    """A mark's two halves; None where there is none, or a value of another form."""
    match = _MARK.fullmatch(value or b"")
    return None if match is None else (int(match[1]), int(match[2]))
