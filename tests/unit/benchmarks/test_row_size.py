"""Usual rows take one write unit."""

from __future__ import annotations

from benchmarks.row_size import MIN_SHARE, share


def test_nine_approved_rows_in_ten_take_one_write_unit_with_all_features() -> None:
    found = share(payments=1_500, seed=1)

    assert found.features == 150
    assert found.one_unit >= MIN_SHARE
