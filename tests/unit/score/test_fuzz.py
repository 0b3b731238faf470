"""Hostile records through the whole score stage. `HYPOTHESIS_PROFILE=long` draws forty times as many."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.support import hostile_records
from tests.support.hostile_records import batches, hostile_fields, keys


@given(batch=batches, key=keys)
def test_hostile_records_are_either_stored_or_quarantined_and_stop_nothing(
    batch: list[bytes | None], key: bytes | None
) -> None:
    hostile_records.check_each_is_stored_or_quarantined(batch, key)


@given(fields=hostile_fields)
def test_what_is_stored_of_a_hostile_payment_fits_and_reads_back(fields: dict[str, Any]) -> None:
    hostile_records.check_what_is_stored_fits_and_reads_back(fields)
