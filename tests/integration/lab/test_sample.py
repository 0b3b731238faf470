"""The generator package synccfd, for real: it takes some seconds, but needs neither network nor services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.transaction import decode_transaction
from lab.datasets import open_dataset, sample

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "CUSTOMERS", 40)
    monkeypatch.setattr(sample, "TERMINALS", 400)
    monkeypatch.setattr(sample, "DAYS", 10)


@pytest.mark.usefixtures("small")
def test_the_sample_is_read_with_its_mapping_and_repeats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once, again = tmp_path / "build" / "once.csv", tmp_path / "again.csv"

    sample.main(["--out", str(once), "--rows", "300"])
    sample.make_sample(again, 300)
    dataset = open_dataset(once, {"USD": 1.0}, sample.MAPPING)
    found = list(dataset.transactions())

    assert once.read_bytes() == again.read_bytes()
    assert len(found) == 300
    assert f"DATA={once}" in capsys.readouterr().out
    transactions = [decode_transaction(msgspec.json.encode(each.record)) for each in found]
    assert {each.currency for each in transactions} == {"USD"}
    assert {each.channel for each in transactions} == {"pos", "online"}
    assert dataset.is_labelled
    assert 0 < sum(each.truth.scenario is not None for each in found) < 150
