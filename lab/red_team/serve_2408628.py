"""Serve the engine as it was at commit 2408628, from standard input to standard output, a line a payment.

Run with that commit's ``functions`` as PYTHONPATH, and nothing of this tree: the two have packages of the same names. So its
modules are imported by name, when it runs. A payment is decided as that commit's backtest did.
"""

from __future__ import annotations

import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One payment."""

    payment: str
    """The record as on the wire."""
    appended_at: datetime


def main() -> None:
    """Answer each line with a decision and the ids of the rules that hold."""
    transactions, scored = import_module("contract.transaction"), import_module("contract.scored")
    profiles_of, errors = import_module("score.profile"), import_module("contract.errors")
    facts_of = import_module("score.profile.profile").PaymentFacts.of
    compute_features = import_module("score.features").compute_features
    is_fraudulent = import_module("score.decision").is_fraudulent
    rules = Path(sys.argv[1])
    ruleset = import_module("score.ruleset").parse_ruleset(rules.read_text(), str(rules))
    decoder = msgspec.json.Decoder(Request)
    profiles: dict[str, Any] = {}
    stored: set[tuple[str, str]] = set()
    for offset, line in enumerate(sys.stdin.buffer):
        request = decoder.decode(line)
        answer: dict[str, object] = {"decision": None}
        try:
            transaction = transactions.decode_transaction(request.payment.encode(), request.appended_at)
        except errors.InvalidTransactionError:
            transaction = None
        if transaction is not None and (key := (transaction.user_id, transaction.event_key)) not in stored:
            stored.add(key)
            facts = facts_of(transaction)
            profile = profiles.setdefault(transaction.user_id, profiles_of.Profile())
            features = compute_features(facts, profile, ruleset.exchange)
            verdict = is_fraudulent(features, transaction, ruleset)
            facts_position = scored.Position("red-team", 0, offset)
            profile.fold(facts, facts_position)
            answer = {
                "decision": str(verdict.decision),
                "rule_ids": [reason.rule_id for reason in verdict.reasons],
            }
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
