"""Usual rows take one write unit, also while there is a candidate."""

from __future__ import annotations

from benchmarks.row_size import MIN_SHARE, shares


def test_nine_approved_rows_in_ten_take_one_write_unit_with_all_features_and_a_candidate() -> None:
    today, with_candidate = shares(payments=1_500, seed=1)

    assert today.features == with_candidate.features == 150
    assert today.mean_bytes < with_candidate.mean_bytes
    assert today.one_unit >= with_candidate.one_unit >= MIN_SHARE
