"""How many history rows take one write unit: ``python -m benchmarks.row_size``.

Payments are simulated and decided one after the other. Pure: no service, the same figures on every machine.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.item_size import item_bytes, write_units
from contract.scored import Decision, OtherVerdict, to_history_item
from contract.side import Side
from engine.features.catalogue import CATALOGUE
from engine.rules.ruleset import parse_ruleset
from lab.simulated_rows import EXPIRES_AT_S, simulated_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import ScoredTransaction

PAYMENTS: Final = 12_000
MIN_SHARE: Final = 0.9
"""Of the approved rows that must take one write unit."""

_LONGEST_OTHER: Final = OtherVerdict(Decision.APPROVE, 49)

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


def shares(payments: int = PAYMENTS, seed: int = 300) -> tuple[Share, Share]:
    """Measure approved rows: as they are, and with the most that a row says of a candidate."""
    today: list[int] = []
    with_candidate: list[int] = []
    for row in approved_rows(payments, seed):
        today.append(item_bytes(to_history_item(row, EXPIRES_AT_S)))
        decided = msgspec.structs.replace(row, side=Side.CANDIDATE, other=_LONGEST_OTHER)
        with_candidate.append(item_bytes(to_history_item(decided, EXPIRES_AT_S)))
    return _share(today), _share(with_candidate)


def _share(sizes: list[int]) -> Share:
    one_unit = sum(write_units(size) == 1 for size in sizes) / len(sizes)
    return Share(len(CATALOGUE), mean(sizes), median(sizes), one_unit)


def main() -> None:
    """Print the shares."""
    for found, what in zip(shares(), ("", ", decided by a candidate"), strict=True):
        print(
            f"{found.features} features{what}: {found.one_unit:.1%} of the approved rows take one write unit; "
            f"mean {found.mean_bytes:.0f} bytes, median {found.median_bytes:.0f}"
        )


if __name__ == "__main__":
    main()
