"""Counts of a rollout in their stored form: MessagePack, compressed. Users of examples are in it, as many as a row has room for."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from engine.errors import InvalidCountsError
from engine.rollout.changed import MAX_EXAMPLES, Changed
from engine.rollout.counts import RolloutCounts

MAX_COUNTS_BYTES: Final = 380_000
"""Of a row, DynamoDB takes 400 KiB, keys included."""

_DECODER: Final = msgspec.msgpack.Decoder(RolloutCounts)
_ENCODER: Final = msgspec.msgpack.Encoder()
_LEVEL: Final = 1


def counts_to_bytes(counts: RolloutCounts, max_bytes: int = MAX_COUNTS_BYTES) -> bytes:
    """Write counts. Examples are ids, which cannot be compressed: of many rules fewer are kept, the latest ones, so that the counts have room.

    Parameters
    ----------
    counts : RolloutCounts
        What was counted. It stays as it is.
    max_bytes : int
        What a row has room for. Counts that take more without any example are written as they are.

    Examples
    --------
    >>> counts_from_bytes(counts_to_bytes(RolloutCounts({7: 3}))).payments
    {7: 3}
    """
    data = _written(counts)
    kept = MAX_EXAMPLES
    while len(data) > max_bytes and kept:
        kept -= 1
        data = _written(_with_examples(counts, kept))
    return data


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


def _written(counts: RolloutCounts) -> bytes:
    return zlib.compress(_ENCODER.encode(counts), _LEVEL)


def _with_examples(counts: RolloutCounts, kept: int) -> RolloutCounts:
    """Leave out all but the latest examples of each rule."""
    return msgspec.structs.replace(
        counts,
        new={rule_id: _shortened(changed, kept) for rule_id, changed in counts.new.items()},
        lost={rule_id: _shortened(changed, kept) for rule_id, changed in counts.lost.items()},
    )


def _shortened(changed: Changed, kept: int) -> Changed:
    latest = changed.examples[max(len(changed.examples) - kept, 0) :]
    return Changed(changed.payments, changed.cents, latest)
