"""Usual rows take one write unit, today and with all features that may come."""

from __future__ import annotations

from random import Random

import msgspec

from benchmarks.row_size import MAX_FEATURES, MIN_SHARE, shares, with_placeholders
from engine.features.catalogue import CATALOGUE


def test_nine_approved_rows_in_ten_take_one_write_unit_with_all_features_that_may_come() -> None:
    today, full = shares(payments=1_500, seed=1)

    assert (today.features, full.features) == (len(CATALOGUE), MAX_FEATURES) == (len(CATALOGUE), 150)
    assert today.mean_bytes <= full.mean_bytes
    assert today.one_unit >= full.one_unit >= MIN_SHARE


def test_placeholders_come_behind_the_features_and_half_of_them_are_zero() -> None:
    packed = msgspec.msgpack.encode([1, "a"])

    values = msgspec.msgpack.decode(with_placeholders(packed, 40, Random(1)))

    assert values[:2] == [1, "a"]
    assert len(values) == 42
    assert values[2:].count(0) == 20
