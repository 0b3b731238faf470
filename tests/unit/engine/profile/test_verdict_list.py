"""A user's verdicts in the cache: read as they were written, and refused where a profile could not apply them."""

from __future__ import annotations

import msgspec
import pytest

from contract.verdict import Verdict
from engine.profile.verdict_list import (
    FORMAT,
    MAX_LISTED,
    VerdictListFormatError,
    from_bytes,
    to_bytes,
)

FRAUD = Verdict(2**64 - 1, True, 2**63, 2**32 - 1, (2**64 - 1, 0, 1, 2, 3, 4))


def listed(**changes: object) -> bytes:
    return to_bytes([msgspec.structs.replace(FRAUD, **changes)])


@pytest.mark.parametrize("verdicts", [(), (FRAUD,), (FRAUD, msgspec.structs.replace(FRAUD, is_fraud=False))])
def test_verdicts_are_read_as_they_were_written(verdicts: tuple[Verdict, ...]) -> None:
    assert from_bytes(to_bytes(verdicts)) == verdicts


def test_of_more_verdicts_than_are_kept_the_newest_are() -> None:
    verdicts = [msgspec.structs.replace(FRAUD, verdict_hash=number) for number in range(MAX_LISTED + 5)]

    assert from_bytes(to_bytes(verdicts)) == tuple(verdicts[5:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02" + to_bytes([FRAUD])[1:],
        FORMAT,
        to_bytes([FRAUD])[:-1],
        FORMAT + msgspec.msgpack.encode([FRAUD] * (MAX_LISTED + 1)),
        FORMAT + msgspec.msgpack.encode([["x", True, 1, 1, [0] * 6]]),
        listed(seen=(1, 2)),
        listed(verdict_hash=-1),
        listed(key_hash=-1),
        listed(at_s=-1),
        listed(at_s=2**32),
        listed(seen=(-1, 0, 0, 0, 0, 0)),
    ],
)
def test_what_no_profile_could_apply_is_refused(data: bytes) -> None:
    with pytest.raises(VerdictListFormatError):
        from_bytes(data)
