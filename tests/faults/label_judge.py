"""Compares what depends on labels, wherever it is kept, with a plain computation from the messages that were sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from contract.entity_ids import entity_ids, entity_name, id_of_name
from contract.label import Label, LabelMessage, effective
from contract.label_message import identified
from engine.entities.risk import with_risk
from engine.labels import risk_copy, risk_keys, verdicts_copy
from engine.profile.facts import facts_of_row
from ops.manifests import read_functions
from tests.support.label_memory import marks_in

from .labels import label_copies
from .report import ProblemKind
from .site import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract.scored import ScoredTransaction

    from .report import RunReport
    from .site import Site

_OWN_KINDS = ("c:", "d:", "m:")
"""How the names of cards, devices and merchants begin; all streams share one IP address."""
_CLAIM_LIMIT = Decimal(str(read_functions()[LABEL].environment["CLAIM_AMOUNT_BASE"]))
_STATUS = {None: "open", True: "confirmed_fraud", False: "false_positive"}


class LabelJudge:
    """Compares what is stored of one run's labels.

    Parameters
    ----------
    site : Site
        The stack.
    messages : Sequence[LabelMessage]
        Every valid message that was sent, each once.
    report : RunReport
        Gets every problem.
    """

    def __init__(self, site: Site, messages: Sequence[LabelMessage], report: RunReport) -> None:
        self._site = site
        self._messages = messages
        self._report = report

    def judge(self, users: Sequence[str]) -> None:
        """Compare, and report every problem; ``users`` are all of the stream."""
        history = [row for row in self._site.stores.history(users) if not row.repeats]
        rows = {(row.transaction.user_id, row.transaction.transaction_id): row for row in history}
        labels: dict[tuple[str, str], list[Label]] = {}
        for message in self._messages:
            row = rows[message.user_id or "", message.transaction_id]
            labels.setdefault((row.transaction.user_id, row.event_key), []).append(_label(message, row))
        self._report.labels = sum(map(len, labels.values()))
        self._judge_rows(labels, users)
        self._judge_statuses(history, labels)
        self._judge_risk(labels.values())
        self._judge_verdicts(labels, users)
        if waiting := self._site.stores.waiting_labels():
            self._found(f"{waiting} labels still wait")
        if not self._site.stores.quarantined_labels:
            self._found("the bad label is not quarantined")
        if dead := self._site.stores.dead_letters([LABEL]):
            self._report.found(ProblemKind.DEAD_LETTER, f"{dead} dead labels")

    def _judge_rows(self, labels: dict[tuple[str, str], list[Label]], users: Sequence[str]) -> None:
        stored = {(one.event_key, one.label_id): _said(one) for one in self._site.stores.labels(users)}
        wanted = {(one.event_key, one.label_id): _said(one) for each in labels.values() for one in each}
        self._found(*(f"label {key} is missing" for key in wanted.keys() - stored.keys()))
        self._found(*(f"label {key} is superfluous" for key in stored.keys() - wanted.keys()))
        both = wanted.keys() & stored.keys()
        self._found(*(f"label {key} is changed" for key in both if wanted[key] != stored[key]))

    def _judge_statuses(
        self, history: Iterable[ScoredTransaction], labels: dict[tuple[str, str], list[Label]]
    ) -> None:
        users = sorted({row.transaction.user_id for row in history})
        for one in self._site.stores.flagged(users):
            counting = effective(labels.get((one.user_id, one.event_key), []))
            if counting is not None and not counting.is_fraud and not counting.is_formal:
                # A claim alone releases no payment of much money, or of money that nobody knows.
                is_little = one.amount_base is not None and one.amount_base < _CLAIM_LIMIT
                counting = counting if is_little else None
            wanted = _STATUS[None if counting is None else counting.is_fraud]
            if one.status != wanted or one.status_shard.partition("#")[0] != wanted:
                self._found(f"{one.event_key} is {one.status} in {one.status_shard}, must be {wanted}")

    def _judge_risk(self, labels: Iterable[list[Label]]) -> None:
        wanted: dict[str, dict[str, datetime]] = {}
        for of_payment in labels:
            counting = effective(of_payment)
            for key, is_wanted in risk_keys(of_payment[0], counting).items():
                rows = wanted.setdefault(key.entity_id, {})
                if is_wanted and counting is not None:
                    rows[key.payment_key] = counting.known_at
        own = [entity_id for entity_id in wanted if entity_id.startswith(_OWN_KINDS)]
        assert own, "no entity has a label"
        copies = label_copies(self._site, [id_of_name(each) for each in own])
        for entity_id in own:
            stored = {
                row["payment_key"]["S"]: datetime.fromisoformat(row["known_at"]["S"])
                for row in self._site.stores.risk_rows(entity_id)
            }
            if stored != wanted[entity_id]:
                self._found(f"{entity_id} has rows {stored}, must have {wanted[entity_id]}")
            if copies.risks.get(id_of_name(entity_id)) != risk_copy(marks_in(wanted[entity_id])):
                self._found(f"the copy of {entity_id} is not what its rows say")

    def _judge_verdicts(self, labels: dict[tuple[str, str], list[Label]], users: Sequence[str]) -> None:
        copies = label_copies(self._site, users=users)
        recorded = {(one.event_key, one.label_id): one.recorded_at for one in self._site.stores.labels(users)}
        for user in users:
            known = (one for (of, _), each in labels.items() if of == user for one in each)
            wanted = verdicts_copy(
                msgspec.structs.replace(
                    one, recorded_at=recorded.get((one.event_key, one.label_id), one.recorded_at)
                )
                for one in known
            )
            if copies.verdicts.get(user) != wanted:
                self._found(f"the verdicts of {user} are not what their labels say")
        if not copies.is_complete:
            self._found("the copies are not complete")

    def _found(self, *problems: str) -> None:
        self._report.found(ProblemKind.LABEL, *problems)


def _label(message: LabelMessage, row: ScoredTransaction) -> Label:
    facts = facts_of_row(row)
    assert message.known_at is not None
    return Label(
        user_id=row.transaction.user_id,
        event_key=row.event_key,
        label_id=identified(message, message.known_at).label_id,
        transaction_id=message.transaction_id,
        occurred_at=row.occurred_at,
        verdict=message.verdict,
        source=message.source,
        confidence=message.confidence,
        known_at=message.known_at,
        withdraws=message.withdraws,
        recorded_at=message.known_at,
        entity_ids=tuple(entity_name(entity_id) for entity_id in with_risk(entity_ids(row.transaction))),
        seen=tuple(value or 0 for value in facts.seen),
        expires_at=0,
    )


def _said(label: Label) -> tuple[object, ...]:
    return (
        label.verdict,
        label.source,
        label.confidence,
        label.known_at,
        label.withdraws,
        label.entity_ids,
        label.seen,
    )
