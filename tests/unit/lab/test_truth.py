from __future__ import annotations

import ast
from pathlib import Path

import pytest

from contract.truth import SentPayment, Truth

FUNCTIONS = Path("functions")


def imported_modules(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_no_function_can_know_the_truth() -> None:
    files = [file for file in FUNCTIONS.rglob("*.py") if file != FUNCTIONS / "contract" / "truth.py"]

    knowing = [str(file) for file in files if "contract.truth" in imported_modules(file)]

    assert len(files) > 50
    assert knowing == []


def test_the_import_is_found_where_there_is_one() -> None:
    assert "contract.truth" in imported_modules(Path("lab/backtest/deciding.py"))


@pytest.mark.parametrize(("truth", "is_fraud"), [(Truth(), False), (Truth("structuring"), True)])
def test_a_payment_is_fraud_if_it_has_a_scenario(truth: Truth, is_fraud: bool) -> None:
    assert truth.is_fraud is is_fraud


def test_a_payment_without_an_id_has_an_empty_one() -> None:
    assert SentPayment(record={"transaction_id": "t1"}).transaction_id == "t1"
    assert SentPayment(record={}, raw=b"not a row").transaction_id == ""
