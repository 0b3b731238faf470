"""Which mappings a batch may be repeated with."""

from __future__ import annotations

import pytest

from glue_scripts.pins import MappingsChangedError, Pin, check_mappings, outdated

OLD, NEW = "0a1b", "2c3d"


@pytest.mark.parametrize(
    ("pinned", "committed"),
    [
        ([], []),
        ([], ["0", "1"]),
        (["0-0a1b"], ["0"]),
        (["7-0a1b"], ["6", "7"]),
        (["9-0a1b", "10-0a1b"], ["9", "10"]),
        (["7-2c3d"], ["6"]),
        (["6-0a1b", "7-2c3d"], ["6"]),
        ([".7-0a1b.crc", "7-0a1b.tmp", "x-0a1b", "7"], ["6"]),
    ],
)
def test_mappings_may_change_once_the_batches_of_the_old_ones_are_committed(
    pinned: list[str], committed: list[str]
) -> None:
    check_mappings(pinned, committed, NEW)


@pytest.mark.parametrize(
    ("pinned", "committed", "batch_id"),
    [
        (["0-0a1b"], [], 0),
        (["7-0a1b"], ["5", "6"], 7),
        (["10-0a1b"], ["8", "9"], 10),
        (["7-0a1b"], ["6", ".7.crc", ".7.0b1c.tmp"], 7),
        (["6-2c3d", "7-0a1b", ".7-0a1b.crc"], ["6"], 7),
    ],
)
def test_a_batch_that_is_not_committed_keeps_its_mappings(
    pinned: list[str], committed: list[str], batch_id: int
) -> None:
    with pytest.raises(MappingsChangedError) as error:
        check_mappings(pinned, committed, NEW)

    assert (error.value.batch_id, error.value.pinned, error.value.digest) == (batch_id, OLD, NEW)
    message = str(error.value)
    assert f"batch {batch_id} was begun with the mappings of digest {OLD}" in message
    assert f"started with those of digest {NEW}" in message
    assert "put the old mappings and landing path back" in message


def test_a_pin_is_read_from_its_own_name() -> None:
    with pytest.raises(MappingsChangedError, match="batch 3 "):
        check_mappings([Pin(3, OLD).name], [], NEW)


def test_only_the_pins_of_batches_before_are_outdated() -> None:
    assert outdated(["9-0a", "10-0a", "11-0a", ".8-0a.crc", "8-ff"], 10) == ["8-ff", "9-0a"]
