"""Counts of a rollout in their stored form: MessagePack, compressed. Users of examples are in it."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from engine.errors import InvalidCountsError
from engine.rollout.counts import RolloutCounts

_DECODER: Final = msgspec.msgpack.Decoder(RolloutCounts)
_ENCODER: Final = msgspec.msgpack.Encoder()
_LEVEL: Final = 1


def counts_to_bytes(counts: RolloutCounts) -> bytes:
    """Write counts.

    Examples
    --------
    >>> counts_from_bytes(counts_to_bytes(RolloutCounts({7: 3}))).payments
    {7: 3}
    """
    return zlib.compress(_ENCODER.encode(counts), _LEVEL)


def counts_from_bytes(data: bytes) -> RolloutCounts:
    """Read counts.

    Raises
    ------
    InvalidCountsError
        Where they cannot be read.
    """
    try:
        return _DECODER.decode(zlib.decompress(data))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise InvalidCountsError(str(error)) from error
