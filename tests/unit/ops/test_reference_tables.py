"""The contract's tables are what the packages say that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from iso_4217 import Currency

from contract.currency import MINOR_UNIT_EXPONENT, WITHDRAWN_AT
from ops.reference_tables import FOLDER, TABLES, main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_packages_say(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == TABLES[name](), "run make tables"


def test_every_currency_of_iso_4217_with_a_minor_unit_is_one_of_the_contract() -> None:
    active = {each.name for each in Currency if each.entities and each.subunit_exp is not None}

    assert active == MINOR_UNIT_EXPONENT.keys() - WITHDRAWN_AT.keys()
    assert {code: Currency[code].subunit_exp for code in active} == {
        code: MINOR_UNIT_EXPONENT[code] for code in active
    }


def test_a_stale_table_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "countries.py").write_text("", encoding="utf-8")

    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == "countries.py is not what the packages say; run make tables\n"
