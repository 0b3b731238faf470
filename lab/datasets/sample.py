"""A file of transactions by somebody else's generator, the package ``synccfd``, with its fraud labels.

``python -m lab.datasets.sample`` writes build/sample-data/synccfd.csv; its mapping is synccfd.yaml beside this file.
The package has its own data (Brazilian municipalities) and needs no network.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # it ships no types

MAPPING: Final = Path(__file__).with_name("synccfd.yaml")
"""The mapping of the file."""

CUSTOMERS: Final = 300
TERMINALS: Final = 6_000
"""Many, because two of them are compromised every day, however many there are."""

DAYS: Final = 30
ROWS: Final = 10_000
"""The most rows; the latest are kept, since the first days have no history."""

SEED: Final = 42
START: Final = "2025-01-01"


def make_sample(path: Path, rows: int = ROWS) -> int:
    """Generate the data set and write it as CSV.

    Parameters
    ----------
    path : Path
        The file; its folder is made if missing.
    rows : int
        The most rows to write, >= 1.

    Returns
    -------
    int
        How many rows were written. The same versions of the packages write the same bytes.
    """
    transactions = _generate()
    latest = transactions.sort_values(["TX_DATETIME", "TRANSACTION_ID"]).tail(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    latest.to_csv(path, index=False)
    return len(latest)


def _generate() -> pd.DataFrame:
    # Imported here: pandas and geopandas take seconds, and a caller that needs only MAPPING needs neither.
    from synccfd import DatasetGenerator

    # The package prints its progress in dozens of bars, and uses functions that pandas has deprecated.
    silence = io.StringIO()
    with (
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
        warnings.catch_warnings(action="ignore"),
    ):
        generator = DatasetGenerator(
            n_customers=CUSTOMERS,
            n_terminals=TERMINALS,
            nb_days=DAYS,
            start_date=START,
            random_state=SEED,
        )
        _, _, transactions = generator.generate()
    return transactions


def main(arguments: list[str] | None = None) -> None:
    """Write the sample file and print how to use it."""
    parser = argparse.ArgumentParser(prog="python -m lab.datasets.sample", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/sample-data/synccfd.csv"))
    parser.add_argument("--rows", type=int, default=ROWS, help="the most rows to write")
    options = parser.parse_args(arguments)
    print(f"generating {CUSTOMERS} customers over {DAYS} days with synccfd ...", flush=True)
    written = make_sample(options.out, options.rows)
    mapping = MAPPING.relative_to(Path.cwd()) if MAPPING.is_relative_to(Path.cwd()) else MAPPING
    print(f"{written:,} rows: {options.out}\nrun them with: make demo DATA={options.out} MAP={mapping}")


if __name__ == "__main__":
    main()
