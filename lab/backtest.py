"""Decide on a whole history in one process, and hold the decisions against the truth: ``python -m lab.backtest``.

Profile, features and rules are those of the score stage, in the order of the records; only brokers and stores are left out.
So a ruleset can be judged in seconds before it goes anywhere, on simulated transactions or on one's own.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contract.errors import InvalidTransactionError, MappingError
from contract.scored import FeatureValue, Position
from contract.transaction import decode_transaction
from engine.decide import Verdict, is_fraudulent
from engine.errors import InvalidRulesetError
from engine.features.compute import compute_features
from engine.profile import Profile
from engine.profile.profile import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from lab.datasets import DatasetError, open_dataset
from lab.detection import APPROVE, DetectionReport, Label, as_table, evaluate
from simulator import LabelledTransaction, SimulationConfig, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.ruleset import Ruleset

_SHOWN = 40
"""So many transactions ``--missed`` and ``--false-alarms`` show."""


class Case(msgspec.Struct, frozen=True):
    """One transaction, the truth and the decision."""

    labelled: LabelledTransaction
    verdict: Verdict
    features: dict[str, FeatureValue]


class Backtest(msgspec.Struct, frozen=True):
    """What came of a history."""

    report: DetectionReport
    invalid: int
    """Records that would have been quarantined."""
    repeats: int
    """Records that were there already, and count once."""
    rule_hits: dict[str, tuple[int, int]]
    """Rule id (shadow rules too) to how often it held for fraud, and for honest payments."""
    missed: tuple[Case, ...]
    """Fraud of incidents in which nothing was flagged."""
    false_alarms: tuple[Case, ...]


def run_backtest(transactions: Iterable[LabelledTransaction], ruleset: Ruleset, now: datetime) -> Backtest:
    """Decide on transactions one after the other, and evaluate the decisions.

    Parameters
    ----------
    transactions : Iterable[LabelledTransaction]
        In the order in which they are scored.
    ruleset : Ruleset
        The rules.
    now : datetime
        The clock that event times may be 24 h ahead of, aware.

    Returns
    -------
    Backtest
        The same for the same arguments.
    """
    profiles: dict[str, Profile] = {}
    labels: dict[str, Label] = {}
    decisions: dict[str, str] = {}
    wrong: list[Case] = []
    hits: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    stored: set[tuple[str, str]] = set()
    invalid = repeats = 0
    for offset, labelled in enumerate(transactions):
        try:
            transaction = decode_transaction(labelled.raw or msgspec.json.encode(labelled.record), now)
        except InvalidTransactionError:
            invalid += 1
            continue
        if (row := (transaction.user_id, transaction.event_key)) in stored:
            repeats += 1
            continue
        stored.add(row)
        facts = PaymentFacts.of(transaction)
        profile = profiles.setdefault(transaction.user_id, Profile())
        features = compute_features(facts, profile, ruleset.exchange)
        verdict = is_fraudulent(features, transaction, ruleset)
        profile.fold(facts, Position("backtest", 0, offset))
        rule_ids = (*(reason.rule_id for reason in verdict.reasons), *verdict.shadow_rule_ids)
        hits[labelled.scenario is not None].update(rule_ids)
        labels[transaction.transaction_id] = Label(
            labelled.scenario, labelled.incident_id, labelled.amount_base
        )
        decisions[transaction.transaction_id] = verdict.decision
        if (labelled.scenario is not None) != (verdict.decision != APPROVE):
            wrong.append(Case(labelled, verdict, features))
    found = {labels[key].incident_id for key, decision in decisions.items() if decision != APPROVE} - {None}
    return Backtest(
        report=evaluate(labels, decisions),
        invalid=invalid,
        repeats=repeats,
        rule_hits={
            rule.id: (hits[True][rule.id], hits[False][rule.id])
            for rule in ruleset.rules
            if hits[True][rule.id] or hits[False][rule.id]
        },
        missed=tuple(
            case
            for case in wrong
            if case.labelled.scenario is not None and case.labelled.incident_id not in found
        ),
        false_alarms=tuple(case for case in wrong if case.labelled.scenario is None),
    )


def as_text(backtest: Backtest) -> str:
    """Write a backtest for people: what was found, and which rules held how often."""
    lines = [as_table(backtest.report), "", f"{'rule':<38} {'fraud':>7} {'honest':>7}"]
    lines += [f"{rule:<38} {fraud:>7,} {honest:>7,}" for rule, (fraud, honest) in backtest.rule_hits.items()]
    if backtest.invalid or backtest.repeats:
        lines += ["", f"{backtest.invalid:,} records are not valid, {backtest.repeats:,} repeat others"]
    return "\n".join(lines)


def _case_text(case: Case) -> str:
    reasons = (
        ", ".join(f"{reason.rule_id} {reason.points:+d}" for reason in case.verdict.reasons) or "nothing"
    )
    return (
        f"{case.labelled.scenario or 'honest':<18} {case.verdict.risk_score:>3}  {reasons}\n"
        f"    {msgspec.json.encode(case.labelled.record).decode()}\n"
        f"    {msgspec.json.encode(case.features).decode()}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run a ruleset over simulated transactions, or over one's own, and print how good its decisions are."""
    options = _parser().parse_args(arguments)
    now = datetime.now(UTC)
    try:
        ruleset = parse_ruleset(options.rules.read_text(), str(options.rules))
        transactions = _transactions(options, ruleset, now)
    except (InvalidRulesetError, DatasetError, MappingError, OSError) as error:
        sys.exit(str(error))
    began = time.perf_counter()
    backtest = run_backtest(transactions, ruleset, now)
    seconds = time.perf_counter() - began
    print(as_text(backtest))
    print(f"\nruleset {ruleset.version} ({options.rules}), {seconds:.1f} s")
    for title, cases, is_wanted in (
        ("missed incidents", backtest.missed, options.missed),
        ("false alarms", backtest.false_alarms, options.false_alarms),
    ):
        if is_wanted:
            print("\n".join([f"\n{title}: {len(cases):,}", *map(_case_text, cases[:_SHOWN])]))


def _transactions(options: argparse.Namespace, ruleset: Ruleset, now: datetime) -> list[LabelledTransaction]:
    if options.data is not None:
        return list(open_dataset(options.data, ruleset.exchange.by_currency, options.map).transactions())
    config = SimulationConfig(
        seed=options.seed,
        users=options.users or max(1, options.transactions // 40),
        transactions=options.transactions,
        ends_at=options.ends_at or now,
        span=timedelta(days=90),
    )
    return list(simulate(config))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.backtest", description=main.__doc__)
    parser.add_argument("--rules", type=Path, default=Path("rules/default.yaml"), help="the ruleset")
    parser.add_argument("--transactions", type=int, default=12_000, help="how many to simulate")
    parser.add_argument("--users", type=int, help="how many people pay (one for 40 transactions)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulation")
    parser.add_argument(
        "--ends-at",
        type=lambda text: datetime.fromisoformat(text).astimezone(UTC),
        help="last event time of the simulation, RFC 3339 (now)",
    )
    parser.add_argument("--data", type=Path, help="a file or folder of one's own instead")
    parser.add_argument("--map", type=Path, help="its column mapping, YAML")
    parser.add_argument(
        "--missed", action="store_true", help="show the fraud of incidents that were not found"
    )
    parser.add_argument("--false-alarms", action="store_true", help="show honest payments that were flagged")
    return parser


if __name__ == "__main__":
    main()
