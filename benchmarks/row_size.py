"""How many history rows take one write unit: ``python -m benchmarks.row_size``.

Payments are simulated and decided one after the other. Pure: no service, the same figures on every machine.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.item_size import item_bytes, write_units
from contract.scored import Decision, to_history_item
from engine.features.catalogue import CATALOGUE
from engine.rules.ruleset import parse_ruleset
from lab.simulated_rows import EXPIRES_AT_S, simulated_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import ScoredTransaction

PAYMENTS: Final = 12_000
MIN_SHARE: Final = 0.9
"""Of the approved rows that must take one write unit."""

_RULES: Final = Path(__file__).resolve().parent.parent / "rules" / "default.yaml"


class Share(msgspec.Struct, frozen=True):
    """Sizes of approved rows as DynamoDB counts them."""

    features: int
    mean_bytes: float
    median_bytes: float
    one_unit: float
    """Share of the rows that take one write unit."""


def approved_rows(payments: int, seed: int) -> Iterator[ScoredTransaction]:
    """Simulated payments that were approved, as the score stage would store them."""
    ruleset = parse_ruleset(_RULES.read_text(), str(_RULES))
    rows = (simulated.row for simulated in simulated_rows(payments, seed, ruleset))
    return (row for row in rows if row.decision is Decision.APPROVE)


def share(payments: int = PAYMENTS, seed: int = 300) -> Share:
    """Measure approved rows."""
    sizes = [item_bytes(to_history_item(row, EXPIRES_AT_S)) for row in approved_rows(payments, seed)]
    one_unit = sum(write_units(size) == 1 for size in sizes) / len(sizes)
    return Share(len(CATALOGUE), mean(sizes), median(sizes), one_unit)


def main() -> None:
    """Print the share."""
    found = share()
    print(
        f"{found.features} features: {found.one_unit:.1%} of the approved rows take one write unit; "
        f"mean {found.mean_bytes:.0f} bytes, median {found.median_bytes:.0f}"
    )


if __name__ == "__main__":
    main()
