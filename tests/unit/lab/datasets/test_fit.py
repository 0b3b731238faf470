"""Fitting a mapping to a data set: its owner learns what is wrong and how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.errors import MappingError
from lab.datasets.fit import fit_mapping

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("who", "cents", "when", "fraud", "kind")
VALID = "user_id: who\namount: cents\ntimestamp: when\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    return path


def test_a_mapping_file_is_fitted_to_the_columns(tmp_path: Path) -> None:
    mapping = fit_mapping(COLUMNS, written(tmp_path, VALID))

    assert {field: source.column for field, source in mapping.fields.items()} == {
        "user_id": "who",
        "amount": "cents",
        "timestamp": "when",
    }


def test_a_column_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as error:
        fit_mapping(COLUMNS, written(tmp_path, VALID + "channel: which\n"))

    assert error.value.field == "channel"
    assert "no column 'which'; the file has who, cents" in error.value.problem


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_what_is_no_mapping_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"map\.yaml"):
        fit_mapping(COLUMNS, written(tmp_path, text))


def test_a_mapping_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(b"user_id: \xff")

    with pytest.raises(MappingError, match=r"map\.yaml.*not UTF-8"):
        fit_mapping(COLUMNS, path)


def test_a_missing_mapping_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.yaml: \$: does not exist"):
        fit_mapping(COLUMNS, tmp_path / "none.yaml")


def test_what_is_missing_is_named_with_the_columns_found_and_how_to_map_them() -> None:
    with pytest.raises(MappingError) as error:
        fit_mapping(("V1", "amount", "Class"))

    for part in ("user_id, timestamp", "V1, amount, Class", "MAP=map.yaml", "synccfd.yaml"):
        assert part in error.value.problem
