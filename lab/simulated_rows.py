"""Rows of the history, and of the labels, as the stages would store them: ``python -m lab.simulated_rows`` writes an export of both.

Payments are simulated and decided one after the other, in one process.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from contract.clock import EPOCH, MILLISECOND, times_of
from contract.entity_ids import entity_ids
from contract.items import to_item
from contract.label import LABELS_TABLE, Label
from contract.label_message import identified
from contract.scored import HISTORY_TABLE, Position, to_history_item
from contract.transaction import decode_transaction
from engine.decide import decide, scored_transaction
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from lab.backtest.entities import Entities
from lab.backtest.profiles import Profiles
from lab.exports import ITEMS_A_FILE, write_export
from lab.models import kept_model
from simulator import SimulationConfig, simulate
from simulator.reports import reports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.items import Item
    from contract.scored import ScoredTransaction
    from contract.truth import SentPayment
    from engine.rules.ruleset import Ruleset

ARRIVAL: Final = timedelta(milliseconds=500)
"""From a payment to its record on the topic."""

ENDS_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The last event time."""

EXPIRES_AT_S: Final = 1_900_000_000

PAYMENTS_A_USER: Final = 40


class SimulatedRow(NamedTuple):
    """A payment with its truth, and its row."""

    payment: SentPayment
    row: ScoredTransaction


def simulated_rows(payments: int, seed: int, ruleset: Ruleset, first_user: int = 0) -> Iterator[SimulatedRow]:
    """Simulate payments, and decide about them one after the other, as the score stage would.

    Parameters
    ----------
    payments, seed : int
        How many; the same seed gives the same rows.
    ruleset : Ruleset
        What decides.
    first_user : int
        Number of the first user.
    """
    profiles, entities = Profiles(), Entities()
    config = SimulationConfig(
        seed=seed,
        users=max(payments // PAYMENTS_A_USER, 1),
        transactions=payments,
        ends_at=ENDS_AT,
        first_user=first_user,
        episode=str(first_user) if first_user else "",
    )
    for offset, payment in enumerate(simulate(config)):
        transaction = decode_transaction(msgspec.json.encode(payment.record))
        appended_at = transaction.timestamp + ARRIVAL
        appended_at_ms = (appended_at - EPOCH) // MILLISECOND
        facts = PaymentFacts.of(
            transaction, times_of(transaction.timestamp, appended_at_ms, is_trusted=False)
        )
        profile = profiles.of(transaction.user_id)
        position = Position("transaction_stream", 3, 1_000_000 + offset)
        ids = entity_ids(transaction)
        known = entities.read(ids, facts.clock_ms // 1000)
        version = profile.tx_count
        decided = decide(facts, profile, ruleset, entities=known)
        row = scored_transaction(
            facts, decided, ruleset, position, appended_at, appended_at, profile_version=version
        )
        yield SimulatedRow(payment, row)
        profile.fold(facts, decided.outcome, position)
        if not decided.outcome.repeats:
            entities.fold(ids, decided.sighting)


def labels_of(simulated: SimulatedRow, seed: int) -> list[Label]:
    """Give the rows of ``labels`` for what will be reported of a payment."""
    row = simulated.row
    return [
        Label(
            user_id=row.transaction.user_id,
            event_key=row.event_key,
            label_id=message.label_id,
            transaction_id=row.transaction.transaction_id,
            occurred_at=row.occurred_at,
            verdict=message.verdict,
            source=message.source,
            fraud_type=message.fraud_type,
            confidence=message.confidence,
            known_at=message.known_at,
            withdraws=message.withdraws,
            recorded_at=message.known_at,
            expires_at=EXPIRES_AT_S,
        )
        for message in (identified(each, ENDS_AT) for each in reports(simulated.payment, seed))
    ]


def write_simulated(
    folder: Path,
    payments: int,
    seed: int,
    ruleset: Ruleset,
    *,
    copies: int = 1,
    rows_a_file: int = ITEMS_A_FILE,
) -> tuple[int, int]:
    """Write an export of the history and one of the labels.

    Parameters
    ----------
    folder : Path
        Gets a folder for each table; nothing may be in it.
    payments, seed : int
        How many are simulated at once, and of which people.
    ruleset : Ruleset
        What decides.
    copies : int
        How many simulations, each of other people: memory is needed for one.
    rows_a_file : int
        At most so many rows of the history are in one file.

    Returns
    -------
    tuple[int, int]
        How many rows and labels were written.
    """
    labels: list[Item] = []
    items = _items(payments, seed, ruleset, copies, labels)
    rows = write_export(folder / HISTORY_TABLE, HISTORY_TABLE, items, ENDS_AT, rows_a_file)
    known = write_export(folder / LABELS_TABLE, LABELS_TABLE, labels, ENDS_AT)
    return rows.item_count, known.item_count


def _items(payments: int, seed: int, ruleset: Ruleset, copies: int, labels: list[Item]) -> Iterable[Item]:
    for copy in range(copies):
        people = payments // PAYMENTS_A_USER + 1
        for simulated in simulated_rows(payments, seed, ruleset, first_user=copy * people):
            labels += map(to_item, labels_of(simulated, seed))
            yield to_history_item(simulated.row, EXPIRES_AT_S)


def main(arguments: list[str] | None = None) -> None:
    """Write an export of simulated rows and of their labels, to try a backtest of stored rows on."""
    parser = argparse.ArgumentParser(prog="python -m lab.simulated_rows", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument(
        "--transactions", type=int, default=12_000, help="of one simulation (default: 12,000)"
    )
    parser.add_argument("--copies", type=int, default=1, help="how many simulations, each of other people")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rules", type=Path, default=Path("rules/default.yaml"))
    options = parser.parse_args(arguments)
    ruleset = parse_ruleset(options.rules.read_text(), str(options.rules), kept_model)
    rows, labels = write_simulated(
        options.out, options.transactions, options.seed, ruleset, copies=options.copies
    )
    print(f"{options.out}: {rows:,} rows in {HISTORY_TABLE}/, {labels:,} labels in {LABELS_TABLE}/")


if __name__ == "__main__":
    main()
