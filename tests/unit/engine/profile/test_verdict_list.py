"""A user's verdicts in the cache: read as they were written, and refused where a profile could not apply them."""

from __future__ import annotations

import msgspec
import pytest

from contract.case_work import UNDO
from contract.verdict import Verdict
from engine.profile.verdict_list import (
    FORMAT,
    MAX_LISTED,
    TEACHES_AFTER_S,
    ListedVerdict,
    VerdictListFormatError,
    from_bytes,
    taught,
    to_bytes,
)

FRAUD = Verdict(2**64 - 1, True, 2**63, 2**32 - 1, (2**64 - 1, 0, 1, 2, 3, 4))


LISTED = ListedVerdict(FRAUD, 1_700_000_000)
HONEST = ListedVerdict(msgspec.structs.replace(FRAUD, is_fraud=False), 1_700_000_000)


def listed(**changes: object) -> bytes:
    return to_bytes([ListedVerdict(msgspec.structs.replace(FRAUD, **changes), 0)])


@pytest.mark.parametrize("verdicts", [(), (LISTED,), (LISTED, HONEST)])
def test_verdicts_are_read_as_they_were_written(verdicts: tuple[ListedVerdict, ...]) -> None:
    assert from_bytes(to_bytes(verdicts)) == verdicts


def test_of_more_verdicts_than_are_kept_the_newest_are() -> None:
    verdicts = [ListedVerdict(FRAUD, number) for number in range(MAX_LISTED + 5)]

    assert from_bytes(to_bytes(verdicts)) == tuple(verdicts[5:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01" + to_bytes([LISTED])[1:],
        FORMAT,
        to_bytes([LISTED])[:-1],
        FORMAT + msgspec.msgpack.encode([LISTED] * (MAX_LISTED + 1)),
        FORMAT + msgspec.msgpack.encode([[["x", True, 1, 1, [0] * 6], 1]]),
        FORMAT + msgspec.msgpack.encode([FRAUD]),
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


@pytest.mark.parametrize(
    ("after_s", "teaches"), [(0, False), (TEACHES_AFTER_S - 1, False), (TEACHES_AFTER_S, True)]
)
def test_a_verdict_of_legitimate_teaches_once_it_cannot_be_undone_any_more(
    after_s: int, teaches: bool
) -> None:
    now_s = HONEST.recorded_s + after_s

    assert HONEST.teaches(now_s) is teaches
    assert LISTED.teaches(now_s)


def test_a_verdict_waits_for_longer_than_it_can_be_undone() -> None:
    assert UNDO.total_seconds() * 3 < TEACHES_AFTER_S


def test_what_teaches_by_now_is_given_in_its_order() -> None:
    later = ListedVerdict(HONEST.verdict, HONEST.recorded_s + 10)

    found = [
        taught([HONEST, later], HONEST.recorded_s + TEACHES_AFTER_S + after_s) for after_s in (-1, 0, 10)
    ]

    assert found == [[], [HONEST.verdict], [HONEST.verdict, later.verdict]]


def test_a_verdict_that_waited_makes_nothing_familiar_that_a_later_fraud_has_made_unfamiliar() -> None:
    honest = ListedVerdict(msgspec.structs.replace(HONEST.verdict, seen=(1, 2, 3, 4, 5, 6)), 0)
    fraud = ListedVerdict(msgspec.structs.replace(FRAUD, seen=(1, 2, 13, 14, 5, 6)), 30)
    without_device = msgspec.structs.replace(honest.verdict, seen=(1, 0, 3, 4, 5, 6))

    assert taught([honest, fraud], 40) == [fraud.verdict]
    assert taught([honest, fraud], TEACHES_AFTER_S) == [without_device, fraud.verdict]
    assert taught([fraud, honest], TEACHES_AFTER_S) == [fraud.verdict, honest.verdict]
