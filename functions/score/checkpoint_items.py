"""The items of `profile_checkpoints`: keys, how they are written by PartiQL, how they are read.

A user id is any printable text, so every key begins with what it is the key of: a profile and a mark never share one.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from engine.profile import to_bytes
from engine.profile.stored import FORMAT
from score.dynamo_calls import GetAnswer
from score.profile_store import CachedProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from score.delivery import Span
    from score.dynamo_calls import Statement
    from score.profile_store import CacheReading, PartitionProgress, ProfileWrite

VERSIONS_PER_FORMAT: Final = 10**12
"""More than a user's payments. A profile of a newer format has a higher version, however few payments it was rebuilt from."""

MAX_BODY_BYTES: Final = 64 * 1024
"""More than any profile has. No item is unpacked to more."""

_COMPRESSED: Final = b"\x78"
"""The first byte of what zlib compresses; no version of a profile's form."""

_PROFILE_VALUES: Final = ("revision", "body", "version", "expires_at", "is_kept")


class KeptProfile(msgspec.Struct, frozen=True):
    """A profile to be kept as a checkpoint."""

    user_id: str
    body: bytes
    """At most 6 KiB, of the present format."""
    version: int
    """How many payments are folded into it."""


class CheckpointStore(Protocol):
    """The calls that the stage makes to the checkpoints."""

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], has_time: Callable[[], bool]
    ) -> CacheReading:
        """Read all users' profiles and the partitions' progress; CacheUnavailableError."""
        ...

    def write(
        self,
        writes: Sequence[ProfileWrite],
        progress: Sequence[PartitionProgress],
        has_time: Callable[[], bool],
    ) -> list[str]:
        """Write all; return the users whose profile has changed since it was read; CacheUnavailableError."""
        ...

    def keep(self, profiles: Sequence[KeptProfile], has_time: Callable[[], bool]) -> set[str]:
        """Keep profiles as checkpoints; return the users of whom this version or a higher one is stored."""
        ...


class _Text(msgspec.Struct):
    S: str


class _Number(msgspec.Struct):
    N: str


class _Bytes(msgspec.Struct):
    B: bytes


class _Flag(msgspec.Struct):
    BOOL: bool


class CheckpointItem(msgspec.Struct):
    """A profile or a mark, by its key, as DynamoDB answers."""

    item_key: _Text
    revision: _Bytes | None = None
    body: _Bytes | None = None
    is_kept: _Flag | None = None
    folded_to: _Number | None = None
    fresh_from: _Number | None = None

    def profile(self) -> CachedProfile:
        """The profile; an absent one where the item is a mark."""
        if self.body is None or self.revision is None:
            return ABSENT
        return CachedProfile(
            unpacked(self.body.B), self.revision.B, self.is_kept is not None and self.is_kept.BOOL
        )

    def mark(self) -> tuple[int, int] | None:
        """The mark's ``folded_to`` and ``fresh_from``; None where the item is a profile."""
        if self.folded_to is None or self.fresh_from is None:
            return None
        return int(self.folded_to.N), int(self.fresh_from.N)


ABSENT: Final = CachedProfile(None, b"")
"""How a profile is read that is not stored."""
GET_ANSWERS: Final = msgspec.json.Decoder(GetAnswer[CheckpointItem])


class CheckpointStatements:
    """The statements that write items. Their texts are made once; values are parameters.

    Parameters
    ----------
    table : str
        Name of the table.
    """

    def __init__(self, table: str) -> None:
        changes = " ".join(f"SET {name} = ?" for name in _PROFILE_VALUES)
        update, insert = f'UPDATE "{table}" ', f'INSERT INTO "{table}" VALUE '
        self._insert_profile = insert + _fields("item_key", *_PROFILE_VALUES)
        self._replace_profile = update + changes + " WHERE item_key = ? AND revision = ?"
        self._keep_profile = update + changes + " WHERE item_key = ? AND version <= ?"
        self._insert_mark = insert + _fields("item_key", "folded_to", "fresh_from")
        # Neither half goes back. A mark that is lower than when it was read stays: the table has lost data.
        advance = "SET folded_to = ? SET fresh_from = ?"
        conditions = " WHERE item_key = ? AND folded_to >= ? AND folded_to <= ? AND fresh_from <= ?"
        self._advance_mark = update + advance + conditions

    def write(self, write: ProfileWrite, revision: bytes, expires_at: int) -> Statement:
        """Insert a profile, or replace the one that has the expected revision."""
        profile = write.profile
        key = profile_key(write.user_id)
        values = _profile_values(revision, to_bytes(profile), profile.tx_count, expires_at, is_kept=False)
        if not write.expected_revision:
            return {"Statement": self._insert_profile, "Parameters": [key, *values]}
        expected = {"B": write.expected_revision}
        return {"Statement": self._replace_profile, "Parameters": [*values, key, expected]}

    def keep(self, kept: KeptProfile, revision: bytes, expires_at: int) -> tuple[Statement, Statement]:
        """Replace a profile of this version or a lower one; and insert it where there is none."""
        key = profile_key(kept.user_id)
        values = _profile_values(revision, kept.body, kept.version, expires_at, is_kept=True)
        return (
            {"Statement": self._keep_profile, "Parameters": [*values, key, _version(kept.version)]},
            {"Statement": self._insert_profile, "Parameters": [key, *values]},
        )

    def insert_mark(self, mark: PartitionProgress) -> Statement:
        """Insert a mark where there is none."""
        values = [_number(mark.folded_to), _number(mark.fresh_from)]
        return {
            "Statement": self._insert_mark,
            "Parameters": [mark_key(mark.topic, mark.partition), *values],
        }

    def advance_mark(self, mark: PartitionProgress) -> Statement:
        """Move both halves of a mark forward, if neither would go back and the mark is not behind what was read."""
        to, fresh, as_read = (
            _number(mark.folded_to),
            _number(mark.fresh_from),
            _number(mark.read_folded_to),
        )
        key = mark_key(mark.topic, mark.partition)
        return {"Statement": self._advance_mark, "Parameters": [to, fresh, key, as_read, to, fresh]}


def packed(body: bytes) -> bytes:
    """A profile as an item holds it: compressed, which takes 65 µs and leaves 2.7 of 4.4 write units."""
    return zlib.compress(body, 1)


def unpacked(stored: bytes) -> bytes:
    """The counterpart of :func:`packed`. An item of an earlier version is not compressed; what is neither is no profile either way."""
    if stored[:1] != _COMPRESSED:
        return stored
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(stored, MAX_BODY_BYTES)
    except zlib.error:
        return stored
    return body if unpacker.eof else stored


def profile_key(user_id: str) -> dict[str, str]:
    """Key of a user's profile."""
    return {"S": f"u#{user_id}"}


def mark_key(topic: str, partition: int) -> dict[str, str]:
    """Key of a partition's mark."""
    return {"S": f"p#{topic}/{partition}"}


def _fields(*names: str) -> str:
    return "{" + ", ".join(f"'{name}': ?" for name in names) + "}"


def _profile_values(
    revision: bytes, body: bytes, version: int, expires_at: int, *, is_kept: bool
) -> Sequence[dict[str, Any]]:
    """In the order of ``_PROFILE_VALUES``."""
    return ({"B": revision}, {"B": packed(body)}, _version(version), _number(expires_at), {"BOOL": is_kept})


def _version(version: int) -> dict[str, str]:
    return _number(FORMAT * VERSIONS_PER_FORMAT + version)


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}
