"""Fit a mapping to the columns of a data set: the one of a YAML file, or one guessed from the columns' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.errors import MappingError
from contract.mapping.document import guess_mapping, parse_mapping
from contract.mapping.kinds import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contract.mapping.document import ColumnMapping


def fit_mapping(columns: Sequence[str], path: Path | None = None) -> ColumnMapping:
    """Find the mapping of a data set.

    Parameters
    ----------
    columns : Sequence[str]
        The data set's columns.
    path : Path, optional
        A YAML mapping; without one, columns are known by their names.

    Returns
    -------
    ColumnMapping
        Its columns all exist, and it maps all that is required.

    Raises
    ------
    MappingError
        Naming the key at fault, and what the file has.
    """
    mapping = guess_mapping(columns) if path is None else read_mapping(path)
    mapping.check_columns(columns)
    if missing := mapping.missing(REQUIRED):
        example = "\n".join(f"    {field}: <column>" for field in REQUIRED)
        raise MappingError(
            "$",
            f"no column for {', '.join(missing)}.\n"
            f"  The file has: {', '.join(columns)}\n"
            f"  Name them in a YAML file and give it as MAP=map.yaml:\n{example}\n"
            "    label: {column: <column>, fraud_values: ['1']}\n"
            "  Instead of a column, {value: ...} is the same for every row; lab/datasets/synccfd.yaml is an example.",
            mapping.source,
        )
    return mapping


def read_mapping(path: Path) -> ColumnMapping:
    """Read a mapping's file.

    Raises
    ------
    MappingError
        Where it does not exist or cannot be used.
    """
    try:
        return parse_mapping(path.read_text(), str(path))
    except FileNotFoundError as error:
        raise MappingError("$", "does not exist", str(path)) from error
    except UnicodeDecodeError as error:
        raise MappingError("$", f"not UTF-8 ({error.reason})", str(path)) from error
