"""The cache's copies of what labels say: their keys, and how they are written.

The label stage writes them; the score stage reads them among the keys of its one reading.

``risk:{1}:<entity id>``
    of one entity (:func:`engine.entities.risk.to_bytes`);
``verdicts:{1}:<user id>``
    a user's newest verdicts (:func:`engine.profile.verdict_list.to_bytes`);
``risk:{1}:usual``
    the share of fraud among all payments of 30 days, as text;
``risk:{1}:look``
    how far the upkeep has looked through the tables;
``risk:{1}:complete``
    what the tables held is copied. Without it some entities and users may lack their copy; each copy that is there is whole.

A copy is set as a whole, never added to. So a writer reads the tables, sets the copies, and reads the tables again: if they have
changed it repeats that, and the last of several writers has copied what all of them wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cache.primary import ENTITY_PREFIX, SLOT_TAG, reporting_unavailability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import redis

RISK_PREFIX: Final = f"risk:{SLOT_TAG}:".encode()
"""Before an entity id, which is 9 bytes long: no other key below is."""
VERDICTS_PREFIX: Final = f"verdicts:{SLOT_TAG}:"
USUAL_RATE_KEY: Final = RISK_PREFIX + b"usual"
COMPLETE_KEY: Final = RISK_PREFIX + b"complete"
LOOK_KEY: Final = RISK_PREFIX + b"look"

RETENTION_S: Final = 90 * 86_400
"""How long a copy is kept after it was set. The upkeep begins this time anew at each look, for as long as the tables say the same."""

_SCRIPT: Final = """
for i, key in ipairs(KEYS) do
  if ARGV[i + 1] == '' then redis.call('DEL', key) else redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1]) end
end
return #KEYS
"""
# One command, since the client follows a primary that moved by single commands alone; and all copies of a payment change at once.


_RENEW_SCRIPT: Final = """
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[i + 1] then redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1]) end
end
return #KEYS
"""
# Another writer may have set a newer copy since.


_LOOK_SCRIPT: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[3] == '1' then redis.call('SET', KEYS[2], '1') end
return 1
"""
# A cache that has lost its copies has lost how far they were looked through as well: then nothing is said about them.


class LabelCopies(NamedTuple):
    """What the cache holds, as it was read."""

    risks: Mapping[bytes, bytes]
    """By entity id; entities without are left out."""
    verdicts: Mapping[str, bytes]
    """By user; users without are left out."""
    usual_rate: bytes | None
    is_complete: bool


NO_COPIES: Final = LabelCopies({}, {}, None, is_complete=False)


def keys_of(user_ids: Sequence[str], entity_ids: Sequence[bytes]) -> list[str | bytes]:
    """Give the keys of what score reads; :func:`copies_of` takes their values apart again."""
    return [
        USUAL_RATE_KEY,
        COMPLETE_KEY,
        *[VERDICTS_PREFIX + user_id for user_id in user_ids],
        *[RISK_PREFIX + entity_id for entity_id in entity_ids],
    ]


def copies_of(
    user_ids: Sequence[str], entity_ids: Sequence[bytes], values: Sequence[bytes | None]
) -> LabelCopies:
    """Name the values of :func:`keys_of`, in their order; a key of another type has None."""
    usual_rate, complete, *others = values
    split = len(user_ids)
    verdicts = zip(user_ids, others[:split], strict=True)
    risks = zip(entity_ids, others[split:], strict=True)
    return LabelCopies(
        {entity_id: value for entity_id, value in risks if value is not None},
        {user_id: value for user_id, value in verdicts if value is not None},
        usual_rate,
        complete is not None,
    )


class RedisLabelCopies:
    """Writes the copies.

    Parameters
    ----------
    client : redis.Redis
        Answering in bytes (:func:`cache.primary.connect`).
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._script = client.register_script(_SCRIPT)
        self._renew_script = client.register_script(_RENEW_SCRIPT)
        self._look_script = client.register_script(_LOOK_SCRIPT)

    def write(self, risks: Mapping[bytes, bytes | None], verdicts: Mapping[str, bytes | None]) -> None:
        """Set copies, all in one step and one round trip.

        Parameters
        ----------
        risks : Mapping[bytes, bytes | None]
            By entity id, as :func:`engine.entities.risk.to_bytes` writes them; None removes the copy, where no label is left.
        verdicts : Mapping[str, bytes | None]
            By user, as :func:`engine.profile.verdict_list.to_bytes` writes them; None removes the copy.

        Raises
        ------
        CacheUnavailableError
            Where Redis does not answer in time. Whether it wrote is then unknown; writing again does no harm.
        """
        values: dict[bytes | str, bytes] = {
            RISK_PREFIX + entity_id: value or b"" for entity_id, value in risks.items()
        }
        values |= {VERDICTS_PREFIX + user_id: value or b"" for user_id, value in verdicts.items()}
        if not values:
            return
        with reporting_unavailability():
            self._script(list(values), [RETENTION_S, *values.values()])

    def renew(self, risks: Mapping[bytes, bytes], verdicts: Mapping[str, bytes]) -> None:
        """Keep copies for :data:`RETENTION_S` from now on that are still as they were read; CacheUnavailableError."""
        values: dict[bytes | str, bytes] = {
            RISK_PREFIX + entity_id: each for entity_id, each in risks.items()
        }
        values |= {VERDICTS_PREFIX + user_id: each for user_id, each in verdicts.items()}
        if not values:
            return
        with reporting_unavailability():
            self._renew_script(list(values), [RETENTION_S, *values.values()])

    def read(self, entity_ids: Sequence[bytes], user_ids: Sequence[str]) -> LabelCopies:
        """Read copies as they are; CacheUnavailableError."""
        with reporting_unavailability():
            values = self._client.mget(keys_of(user_ids, entity_ids))
        return copies_of(user_ids, entity_ids, cast("list[bytes | None]", values))

    def look(self) -> bytes:
        """How far the tables are looked through; empty where nothing is known. CacheUnavailableError."""
        with reporting_unavailability():
            return cast("bytes | None", self._client.get(LOOK_KEY)) or b""

    def move_look(self, before: bytes, after: bytes, *, is_complete: bool = False) -> bool:
        """Say how far the tables are looked through, and with the last step that everything is copied.

        Parameters
        ----------
        before : bytes
            As :meth:`look` gave it, or as it was moved last.
        after : bytes
            As far as the tables are looked through now.
        is_complete : bool
            Whether that is all.

        Returns
        -------
        bool
            False where the cache holds something else than ``before``: it has lost what was copied since. Nothing is said then.

        Raises
        ------
        CacheUnavailableError
            Where Redis does not answer in time.
        """
        with reporting_unavailability():
            moved: int = self._look_script([LOOK_KEY, COMPLETE_KEY], [before, after, int(is_complete)])
        return moved == 1

    def populations(self, ids: Sequence[bytes]) -> list[bytes | None]:
        """Read the state of all entities of some kinds, as long as ``ids``; CacheUnavailableError."""
        with reporting_unavailability():
            values = self._client.mget([ENTITY_PREFIX + each for each in ids])
        return cast("list[bytes | None]", values)

    def write_usual_rate(self, rate: float) -> None:
        """Set the share of fraud among all payments of 30 days, 0 to 1; CacheUnavailableError."""
        # Without a time to live: a cache that is full evicts only keys that have one.
        with reporting_unavailability():
            self._client.set(USUAL_RATE_KEY, f"{rate:.6f}")

    def is_complete(self) -> bool:
        """Whether everything is copied, as far as the mark says; CacheUnavailableError."""
        with reporting_unavailability():
            return self._client.exists(COMPLETE_KEY) == 1
