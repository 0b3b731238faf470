"""What reading a row of a file costs, in this tree against another checkout, in one run.

``python -m benchmarks.reading_cost --before ../other-checkout`` measures both in turns, each in processes of its own, and prints the
least time a row of each and their ratio. Without ``--before`` it measures this tree alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parents[1]
ROWS: Final = 20_000
ROUNDS: Final = 5

_NAMES: Final = (
    "NR",
    "CUSTOMER",
    "AMOUNT",
    "CCY",
    "WHEN",
    "SHOP",
    "KIND",
    "DEVICE",
    "LAT",
    "LON",
    "CARD",
    "NOTE",
)
_MAPPING: Final = """
transaction_id: NR
user_id: CUSTOMER
amount: AMOUNT
currency: CCY
timestamp: WHEN
merchant_id: SHOP
channel: {column: KIND, values: {CP: in_person, CNP: online}}
device_id: DEVICE
latitude: LAT
longitude: LON
card_id: CARD
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_cost", description=main.__doc__)
    parser.add_argument("--before", type=Path, help="the root of another checkout")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(_measure()))
        return
    trees = [ROOT] if options.before is None else [options.before.resolve(), ROOT]
    least: list[dict[str, float]] = [{} for _ in trees]
    for _ in range(ROUNDS):
        for found, tree in zip(least, trees, strict=True):
            for name, us in _run(tree).items():
                found[name] = min(us, found.get(name, us))
    for name, after in least[-1].items():
        ratio = (
            ""
            if len(trees) == 1
            else f"   before {least[0][name]:6.2f} us, ratio {after / least[0][name]:.2f}"
        )
        print(f"{name:<34} {after:6.2f} us a row{ratio}")


def _run(tree: Path) -> dict[str, float]:
    # This file in both: only the packages that it measures are those of the tree.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "functions"), str(tree)])}
    command = [sys.executable, str(Path(__file__).resolve()), "--worker"]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _measure() -> dict[str, float]:
    document = importlib.import_module("contract.mapping.document")
    row = importlib.import_module("contract.mapping.row")
    cleaner = importlib.import_module("glue_scripts.rows")
    tokens = importlib.import_module("contract.card_tokens").CardTokens(b"a key of sixteen bytes")
    mapping = document.parse_mapping(_MAPPING, "map.yaml")
    rows = [_row(number) for number in range(ROWS)]
    lines = [",".join(values).encode() for values in rows]
    mapper, rows_cleaner = row.RowMapper(mapping), cleaner.RowCleaner(tokens, mapping)
    header = cleaner.Header(",".join(_NAMES).encode(), mapping)
    by_column = [list(zip(_NAMES, values, strict=True)) for values in rows]
    return {
        "mapper": _timed(lambda: [mapper.map_row(each) for each in by_column]),
        "ingestion job, CSV row to record": _timed(
            lambda: [rows_cleaner.clean_csv(line, header) for line in lines]
        ),
        "bench, CSV file to payments": _timed(_bench(lines)),
    }


def _bench(lines: list[bytes]) -> Callable[[], object]:
    datasets = importlib.import_module("lab.datasets")
    folder = tempfile.TemporaryDirectory()
    data, mapping = Path(folder.name) / "t.csv", Path(folder.name) / "map.yaml"
    data.write_bytes(b"\n".join([",".join(_NAMES).encode(), *lines]))
    mapping.write_text(_MAPPING)

    def read() -> None:
        found = sum(1 for _ in datasets.open_dataset(data, {"EUR": 1.0}, mapping).rows())
        if found != ROWS or not folder.name:
            raise AssertionError(f"{found} of {ROWS} rows")

    return read


def _timed(work: Callable[[], object]) -> float:
    """Least of three times of the processor, which other processes disturb less than the clock; microseconds a row."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) / ROWS * 1e6


def _row(number: int) -> list[str]:
    note = '"a note, quoted"' if number % 10 == 0 else "a note"
    return [
        *(f"t{number}", f"u{number % 500}", f"{number % 300}.{number % 90 + 10}", "EUR"),
        f"2026-01-{number % 28 + 1:02} 12:{number % 60:02}:00",
        *(f"shop-{number % 50}", ("CP", "CNP")[number % 2], f"d-{number % 700:x}"),
        *(f"{number % 60 + 0.25}", f"{number % 170 + 0.5}", "", note),
    ]


if __name__ == "__main__":
    main()
