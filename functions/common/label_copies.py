"""The cache's copies of what labels say: their keys, and how they are written.

The label stage writes them; the score stage reads them among the keys of its one reading.

``risk:{1}:<entity id>``
    of one entity (:func:`engine.entities.risk.to_bytes`);
``verdicts:{1}:<user id>``
    a user's newest verdicts (:func:`engine.profile.verdict_list.to_bytes`);
``risk:{1}:usual``
    the share of fraud among all payments of 30 days, as text;
``risk:{1}:complete``
    what the tables held is copied. Without it some entities and users may lack their copy; each copy that is there is whole.

A copy is set as a whole, never added to. So a writer reads the tables, sets the copies, and reads the tables again: if they have
changed it repeats that, and the last of several writers has copied what all of them wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import redis

from common.cache_primary import SLOT_TAG
from common.errors import CacheUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RISK_PREFIX: Final = f"risk:{SLOT_TAG}:".encode()
"""Before an entity id, which is 9 bytes long: no other key below is."""
VERDICTS_PREFIX: Final = f"verdicts:{SLOT_TAG}:"
USUAL_RATE_KEY: Final = RISK_PREFIX + b"usual"
COMPLETE_KEY: Final = RISK_PREFIX + b"complete"

RETENTION_S: Final = 90 * 86_400
"""How long a copy is kept after it was set: as long as the rows that it is made of count."""

_SCRIPT: Final = """
for i, key in ipairs(KEYS) do
  if ARGV[i + 1] == '' then redis.call('DEL', key) else redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1]) end
end
return #KEYS
"""
# One command, since the client follows a primary that moved by single commands alone; and all copies of a payment change at once.


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
        Answering in bytes (:func:`common.cache_primary.connect`).
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._script = client.register_script(_SCRIPT)

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
        try:
            self._script(list(values), [RETENTION_S, *values.values()])
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error

    def write_usual_rate(self, rate: float) -> None:
        """Set the share of fraud among all payments of 30 days, 0 to 1; CacheUnavailableError."""
        self._set(USUAL_RATE_KEY, f"{rate:.6f}")

    def mark_complete(self) -> None:
        """Say that everything is copied; CacheUnavailableError."""
        self._set(COMPLETE_KEY, "1")

    def unmark_complete(self) -> None:
        """Say that copies are missing or old; CacheUnavailableError."""
        try:
            self._client.delete(COMPLETE_KEY)
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error

    def is_complete(self) -> bool:
        """Whether everything is copied, as far as the mark says; CacheUnavailableError."""
        try:
            return self._client.exists(COMPLETE_KEY) == 1
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error

    def _set(self, key: bytes, value: str) -> None:
        # Without a time to live: a cache that is full evicts only keys that have one.
        try:
            self._client.set(key, value)
        except redis.RedisError as error:
            raise CacheUnavailableError(type(error).__name__) from error
