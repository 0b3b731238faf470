"""The mappings of public data sets, each on two made-up rows in the columns of the set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.transaction import decode_transaction
from lab.backtest.__main__ import main
from lab.datasets import open_dataset
from lab.datasets.sample import MAPPING
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = MAPPING.parent
NOW = datetime(2026, 11, 26, tzinfo=UTC)
RATES = {"USD": 1.0, "EUR": 1.1}

EXPECTED = {
    "tabformer": {
        "user_id": "7", "card_id": "7-1", "amount": "31.40", "timestamp": "2019-03-09T08:15:00Z", "merchant_category": "5411",
        "channel": "pos",
    },
    "paysim": {
        "user_id": "C1000000001", "payee_id": "M2000000001", "amount": "42.10", "timestamp": "2026-01-01T03:00:00Z",
    },
    "sparkov": {
        "user_id": "Ann-Example-1980-02-03", "amount": "18.25", "timestamp": "2019-05-02T09:30:11Z",
        "merchant_id": "Made, Up and Sons", "channel": "pos",
    },
    "ieee_cis": {"transaction_id": "9000001", "user_id": "12345", "amount": "49.0", "timestamp": "2017-12-02T00:01:40Z"},
    "ulb": {"amount": "12.5", "currency": "EUR", "timestamp": "2013-09-01T00:00:00Z"},
}  # fmt: skip


def test_every_ready_mapping_has_a_sample_and_is_tested() -> None:
    assert {path.name.removesuffix(".sample.csv") for path in FOLDER.glob("*.sample.csv")} == set(EXPECTED)
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*EXPECTED, MAPPING.stem}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_rows_of_a_sample_become_payments_of_which_one_is_fraud(name: str) -> None:
    dataset = open_dataset(FOLDER / f"{name}.sample.csv", RATES, FOLDER / f"{name}.yaml")

    found = list(dataset.transactions())

    assert [each.truth.is_fraud for each in found] == [False, True]
    assert [each.problem for each in found] == [None, None]
    payment = msgspec.to_builtins(decode_transaction(msgspec.json.encode(found[0].record)))
    expected = {**EXPECTED[name], "timestamp": EXPECTED[name]["timestamp"]}
    assert {key: str(payment[key]) for key in expected} == expected


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_backtest_runs_on_a_sample(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"--data={FOLDER / name}.sample.csv", f"--map={FOLDER / name}.yaml"]

    main([*files, f"--rules={ROOT / 'rules' / 'default.yaml'}", f"--plot={tmp_path / 'plot.svg'}"])

    assert "2 decided, 1 fraud" in capsys.readouterr().out


def test_a_refund_of_tabformer_is_counted_and_the_others_are_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = (FOLDER / "tabformer.sample.csv").read_text()
    (tmp_path / "data.csv").write_text(sample + sample.splitlines()[1].replace("$31.40", "$-9.00") + "\n")

    main(
        [
            f"--data={tmp_path / 'data.csv'}",
            f"--map={FOLDER / 'tabformer.yaml'}",
            f"--plot={tmp_path / 'plot.svg'}",
        ]
    )

    printed = capsys.readouterr().out
    assert "2 decided, 1 fraud" in printed
    assert "0 records are not valid, 0 repeat others, 1 are refunds" in printed


@pytest.mark.parametrize("name", ["tabformer", "paysim", "ieee_cis"])
def test_a_public_set_without_its_mapping_ends_with_an_error_and_not_with_figures(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([f"--data={FOLDER / name}.sample.csv", f"--plot={tmp_path / 'plot.svg'}"])

    assert isinstance(stopped.value.code, str)
    assert "no column for" in stopped.value.code or "none of 2 rows is a valid payment" in stopped.value.code
