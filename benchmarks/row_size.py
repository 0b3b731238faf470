"""How many history rows take one write unit: ``python -m benchmarks.row_size``.

Payments are simulated and decided one after the other. Pure: no service, the same figures on every machine.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.item_size import item_bytes, write_units
from contract.clock import EPOCH, MILLISECOND, times_of
from contract.entity_ids import entity_ids
from contract.scored import Decision, OtherVerdict, Position, to_history_item
from contract.side import Side
from contract.transaction import decode_transaction
from engine.decide import decide, scored_transaction
from engine.features.catalogue import CATALOGUE
from engine.profile import Profile
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from lab.backtest.entities import Entities
from simulator import SimulationConfig, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.scored import ScoredTransaction

ARRIVAL: Final = timedelta(milliseconds=500)
ENDS_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
EXPIRES_AT_S: Final = 1_900_000_000
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
    profiles: dict[str, Profile] = {}
    entities = Entities()
    config = SimulationConfig(seed=seed, users=max(payments // 40, 1), transactions=payments, ends_at=ENDS_AT)
    for offset, payment in enumerate(simulate(config)):
        transaction = decode_transaction(msgspec.json.encode(payment.record))
        appended_at = transaction.timestamp + ARRIVAL
        appended_at_ms = (appended_at - EPOCH) // MILLISECOND
        facts = PaymentFacts.of(
            transaction, times_of(transaction.timestamp, appended_at_ms, is_trusted=False)
        )
        profile = profiles.setdefault(transaction.user_id, Profile())
        profile_version, position = profile.tx_count, Position("transaction_stream", 3, 1_000_000 + offset)
        ids = entity_ids(transaction)
        known = entities.read(ids, facts.clock_ms // 1000)
        decided = decide(facts, profile, ruleset, entities=known)
        if decided.assessment.decision is Decision.APPROVE:
            yield scored_transaction(
                facts, decided, ruleset, position, appended_at, appended_at, profile_version=profile_version
            )
        profile.fold(facts, decided.outcome, position)
        entities.fold(ids, decided.sighting)


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
