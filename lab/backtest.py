"""Decide on a whole history in one process, and compare the decisions with the truth: ``python -m lab.backtest``.

Profile, features and rules are those of the score stage, in the order of the records; only brokers and stores are left out.
So a ruleset can be judged in seconds before it is deployed, on simulated payments or on your own data.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from contract.errors import InvalidTransactionError, MappingError
from contract.scored import Position
from contract.transaction import decode_transaction
from contract.truth import SentPayment, Truth
from engine.decide import Decided, decide
from engine.errors import InvalidRulesetError
from engine.profile import Profile
from engine.profile.profile import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from lab.datasets import DatasetError, open_dataset
from lab.measures import APPROVE, DetectionReport, as_table, evaluate
from simulator import SimulationConfig, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.transaction import Transaction
    from engine.rules.ruleset import Rule, Ruleset

_MAX_SHOWN: Final = 40
"""``--missed`` and ``--false-alarms`` each show at most this many payments."""


class JudgedPayment(msgspec.Struct, frozen=True):
    """One payment with its truth, and the decision on it."""

    payment: SentPayment
    decided: Decided


class Backtest(msgspec.Struct, frozen=True):
    """The decisions on a history, compared with the truth."""

    report: DetectionReport
    invalid: int
    """Records that the score stage would quarantine."""
    repeats: int
    """Records that repeat an earlier one; each payment counts once."""
    rule_hits: dict[str, tuple[int, int]]
    """Rule id (shadow rules too) to how often it held for fraud, and for honest payments."""
    missed: tuple[JudgedPayment, ...]
    """Fraud of incidents in which nothing was flagged."""
    false_alarms: tuple[JudgedPayment, ...]
    """Honest payments that were flagged."""


def run_backtest(payments: Iterable[SentPayment], ruleset: Ruleset, now: datetime) -> Backtest:
    """Decide on payments one after the other, and evaluate the decisions.

    Parameters
    ----------
    payments : Iterable[SentPayment]
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
    tally = _Tally()
    stored: set[tuple[str, str]] = set()
    invalid = repeats = 0
    for offset, payment in enumerate(payments):
        try:
            transaction = decode_transaction(payment.raw or msgspec.json.encode(payment.record), now)
        except InvalidTransactionError:
            invalid += 1
            continue
        if (row := (transaction.user_id, transaction.event_key)) in stored:
            repeats += 1
            continue
        stored.add(row)
        facts = PaymentFacts.of(transaction)
        profile = profiles.setdefault(transaction.user_id, Profile())
        decided = decide(facts, profile, ruleset)
        profile.fold(facts, Position("backtest", 0, offset))
        tally.count(transaction, JudgedPayment(payment, decided))
    return Backtest(
        report=evaluate(tally.truths, tally.decisions),
        invalid=invalid,
        repeats=repeats,
        rule_hits=tally.rule_hits(ruleset.rules),
        missed=tally.missed(),
        false_alarms=tuple(tally.false_alarms),
    )


class _Tally:
    """Truths, decisions and rule hits of a backtest while it runs."""

    def __init__(self) -> None:
        self.truths: dict[str, Truth] = {}
        """By transaction id, as ``decisions``."""
        self.decisions: dict[str, str] = {}
        self.false_alarms: list[JudgedPayment] = []
        self._fraud_approved: list[JudgedPayment] = []
        self._hits: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}

    def count(self, transaction: Transaction, judged: JudgedPayment) -> None:
        truth, assessment = judged.payment.truth, judged.decided.assessment
        rule_ids = (*(reason.rule_id for reason in assessment.reasons), *assessment.shadow_rule_ids)
        self._hits[truth.is_fraud].update(rule_ids)
        self.truths[transaction.transaction_id] = truth
        self.decisions[transaction.transaction_id] = assessment.decision
        is_flagged = assessment.decision != APPROVE
        if truth.is_fraud and not is_flagged:
            self._fraud_approved.append(judged)
        elif is_flagged and not truth.is_fraud:
            self.false_alarms.append(judged)

    def rule_hits(self, rules: Iterable[Rule]) -> dict[str, tuple[int, int]]:
        hits = {rule.id: (self._hits[True][rule.id], self._hits[False][rule.id]) for rule in rules}
        return {rule_id: (fraud, honest) for rule_id, (fraud, honest) in hits.items() if fraud or honest}

    def missed(self) -> tuple[JudgedPayment, ...]:
        flagged = (self.truths[key] for key, decision in self.decisions.items() if decision != APPROVE)
        detected = {truth.incident_id for truth in flagged} - {None}
        return tuple(each for each in self._fraud_approved if each.payment.truth.incident_id not in detected)


def as_text(backtest: Backtest) -> str:
    """Write a backtest for people: how much fraud was found, and how often each rule held."""
    lines = [as_table(backtest.report), "", f"{'rule':<38} {'fraud':>7} {'honest':>7}"]
    lines += [f"{rule:<38} {fraud:>7,} {honest:>7,}" for rule, (fraud, honest) in backtest.rule_hits.items()]
    if backtest.invalid or backtest.repeats:
        lines += ["", f"{backtest.invalid:,} records are not valid, {backtest.repeats:,} repeat others"]
    return "\n".join(lines)


def _judged_text(judged: JudgedPayment) -> str:
    assessment, truth = judged.decided.assessment, judged.payment.truth
    reasons = (
        ", ".join(f"{reason.rule_id} {reason.points:+d}" for reason in assessment.reasons) or "no rule held"
    )
    return (
        f"{truth.scenario or 'honest':<18} {assessment.risk_score:>3}  {reasons}\n"
        f"    {msgspec.json.encode(judged.payment.record).decode()}\n"
        f"    {msgspec.json.encode(judged.decided.features).decode()}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run a ruleset over simulated payments or over your own data, and print how good its decisions are."""
    options = _parser().parse_args(arguments)
    now = datetime.now(UTC)
    try:
        ruleset = parse_ruleset(options.rules.read_text(), str(options.rules))
        payments = _payments(options, ruleset, now)
    except (InvalidRulesetError, DatasetError, MappingError, OSError) as error:
        sys.exit(str(error))
    began = time.perf_counter()
    backtest = run_backtest(payments, ruleset, now)
    seconds = time.perf_counter() - began
    print(as_text(backtest))
    print(f"\nruleset {ruleset.version} ({options.rules}), {seconds:.1f} s")
    for title, judged, is_requested in (
        ("payments of missed incidents", backtest.missed, options.missed),
        ("false alarms", backtest.false_alarms, options.false_alarms),
    ):
        if is_requested:
            print("\n".join([f"\n{title}: {len(judged):,}", *map(_judged_text, judged[:_MAX_SHOWN])]))


def _payments(options: argparse.Namespace, ruleset: Ruleset, now: datetime) -> list[SentPayment]:
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
    parser.add_argument("--users", type=int, help="how many people pay (default: one per 40 transactions)")
    parser.add_argument("--seed", type=int, default=7, help="of the simulation")
    parser.add_argument(
        "--ends-at",
        type=lambda text: datetime.fromisoformat(text).astimezone(UTC),
        help="last event time of the simulation, RFC 3339 (default: now)",
    )
    parser.add_argument("--data", type=Path, help="instead: your own data, a file or a folder")
    parser.add_argument("--map", type=Path, help="which of its columns is which field, YAML")
    parser.add_argument(
        "--missed", action="store_true", help="show fraud of incidents that were not detected"
    )
    parser.add_argument("--false-alarms", action="store_true", help="show honest payments that were flagged")
    return parser


if __name__ == "__main__":
    main()
