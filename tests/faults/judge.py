"""Compares everything that is stored after a run with the oracle, and the later stages' rows and alerts with the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from alert.windows import RESERVED_SHARE
from contract.alert import Alert, AlertDigest, AlertState, Severity, encode_message
from contract.alert_account import account_problems
from contract.errors import InvalidTransactionError
from contract.scored import Decision, Position, ScoredTransaction
from contract.transaction import decode_transaction
from engine.entities.kinds import kind_of
from engine.entities.levels import PAYMENTS, total
from engine.entities.state import from_bytes
from tests.support.entity_stores import expected_entities
from tests.support.oracle import Oracle, RowKey, profile_problems

from .aws import RULESETS
from .fault import Degrades, Fault
from .report import ProblemKind, RunReport
from .site import FUNCTIONS, WINDOWS_CLOSED
from .stores import raced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract.flagged import FlaggedTransaction

    from .site import Site
    from .stream import Sent, Written

_OWN_KINDS = (b"c", b"d", b"m")
"""First letters of the ids of cards, devices and merchants; all streams share one IP address."""
MESSAGES_AN_ALERT = 2
"""The most messages of one alert: one before a crash, and one after the redelivery."""


class Judge:
    """Compares what is stored of one run's users."""

    def __init__(self, site: Site, fault: Fault, started_at: datetime, report: RunReport) -> None:
        self._site = site
        self._fault = fault
        self._started_at = started_at
        self._report = report

    def judge(self, given: Iterable[Sent], sent: Iterable[Written]) -> None:
        """Compare, and report every problem.

        Parameters
        ----------
        given : Iterable[Sent]
            Every record that should have reached the topic, by a producer or a file.
        sent : Iterable[Written]
            Every record on the topic, each user's in their order.
        """
        oracle = Oracle()
        for each in sent:
            oracle.take(each.position, each.record.value, each.appended_at_ms, is_trusted=each.is_trusted)
        users = list(oracle.profiles)
        self._site.stores.collect()
        history = self._site.stores.history(users)
        kept = {(one.transaction.user_id, one.event_key): one for one in history}
        self._report.transactions = len(oracle.payments)
        self._judge_history(oracle, history, kept, self._payments(given))
        self._judge_degraded({key for key, one in kept.items() if one.degraded})
        profiles = profile_problems(self._site.profiles(users), oracle.profiles)
        self._report.found(
            ProblemKind.PROFILE, *(f"profile of {user}: {text}" for user, text in profiles.items())
        )
        if dead := self._site.stores.dead_letters(FUNCTIONS):
            self._report.found(ProblemKind.DEAD_LETTER, f"{dead} dead letters")
        if self._fault.shows_in is not None and not self._fault.shows_in(history):
            self._report.found(ProblemKind.NO_EFFECT, "no row shows the fault")
        flagged = {(one.user_id, one.event_key): one for one in self._site.stores.flagged(users)}
        self._judge_flagged(kept, flagged)
        self._judge_alerts(set(users), kept, flagged)
        self._judge_missed()

    def _judge_missed(self) -> None:
        """The reconciler, which knows only the tables, finds nothing to repair either."""
        found = self._site.reconcile()
        assert found["checked"] > 0, found
        missed = {name: count for name, count in found.items() if name != "checked" and count}
        self._report.found(ProblemKind.MISSED, *([f"the reconciler found {missed}"] if missed else []))

    def judge_entities(self, users: Sequence[str], complete_since_s: int) -> None:
        """Compare what cards, devices and merchants have counted with the rows of a stream, whose entities are its own.

        Parameters
        ----------
        users : Sequence[str]
            All of the stream.
        complete_since_s : int
            What the cache said at the run's beginning. Where it says another time now, the cache had lost payments, or a batch could not
            count: then those that were appended later must be counted, and none may be counted twice.
        """
        rows = self._site.stores.history(users)
        wanted = {name: value for name, value in expected_entities(rows).items() if name[:1] in _OWN_KINDS}
        reading = self._site.entities(list(wanted))
        self._report.entities = len(wanted)
        if reading.complete_since_s == complete_since_s:
            wrong = [name for name, value in wanted.items() if reading.entities.get(name) != value]
        else:
            since = datetime.fromtimestamp(reading.complete_since_s + 1, UTC)
            least = expected_entities(row for row in rows if row.appended_at > since)
            self._report.entities_incomplete = True
            wrong = [
                name
                for name, value in wanted.items()
                if not _payments(least.get(name)) <= _payments(reading.entities.get(name)) <= _payments(value)
            ]
        self._report.found(
            ProblemKind.ENTITY,
            *(
                f"{kind_of(name).name} {name.hex()} has {_payments(reading.entities.get(name))} payments,"
                f" must have {_payments(wanted[name])}, or differs otherwise"
                for name in wrong
            ),
        )

    def _judge_history(
        self,
        oracle: Oracle,
        history: list[ScoredTransaction],
        kept: dict[RowKey, ScoredTransaction],
        payments: set[tuple[str, str]],
    ) -> None:
        on_topic = {
            (user_id, each.facts.transaction.transaction_id) for (user_id, _), each in oracle.payments.items()
        }
        self._report.found(ProblemKind.LOST, *(f"{key} is not on the topic" for key in payments - on_topic))
        self._report.found(ProblemKind.LOST, *(str(key) for key in oracle.payments.keys() - kept.keys()))
        nowhere = oracle.rejected - self._site.stores.quarantined.keys()
        self._report.found(ProblemKind.LOST, *(str(position) for position in nowhere))
        # By where they were stored from: a payment that is stored twice has another key the second time.
        seen: set[Position] = set()
        for row in history:
            if row.position in seen:
                self._report.found(ProblemKind.DOUBLED, f"a second row from {row.position}")
            seen.add(row.position)
        changed = oracle.follow(kept, RULESETS.get, raced(self._site.logs))
        self._report.raced = len(oracle.raced)
        self._report.found(ProblemKind.CHANGED, *(f"{key}: {text}" for key, text in changed.items()))

    def _judge_degraded(self, degraded: set[RowKey]) -> None:
        self._report.degraded = len(degraded)
        match self._fault.degrades:
            case Degrades.NEVER:
                self._report.found(
                    ProblemKind.DEGRADED, *(f"{key}: degraded without cause" for key in degraded)
                )
            case Degrades.MUST if not degraded:
                self._report.found(ProblemKind.NO_EFFECT, "no row is degraded")

    def _judge_flagged(
        self, kept: dict[RowKey, ScoredTransaction], flagged: dict[RowKey, FlaggedTransaction]
    ) -> None:
        rows = kept.values()
        wanted = {
            (one.transaction.user_id, one.event_key)
            for one in rows
            if one.decision is not Decision.APPROVE and not one.repeats
        }
        assert wanted, "the stream has nothing to alert on"
        self._report.found(ProblemKind.FLAGGED, *(f"not flagged: {name}" for name in wanted - flagged.keys()))
        superfluous = flagged.keys() - wanted
        self._report.found(ProblemKind.FLAGGED, *(f"flagged, but approved: {name}" for name in superfluous))
        for name, one in flagged.items():
            row = kept.get((one.user_id, one.event_key))
            if row is None:
                self._report.found(ProblemKind.FLAGGED, f"{name} has no row in the history")
            elif of_flagged(one) != decided(row):
                self._report.found(
                    ProblemKind.FLAGGED, f"{name} says {of_flagged(one)}, must say {decided(row)}"
                )

    def _judge_alerts(
        self,
        users: set[str],
        kept: dict[RowKey, ScoredTransaction],
        flagged: dict[RowKey, FlaggedTransaction],
    ) -> None:
        messages = self._site.stores.delivered
        delivered = {
            name: [one for one in copies if isinstance(one, Alert)] for name, copies in messages.items()
        }
        for name, one in flagged.items():
            alerts = delivered.get(one.alert_id or "", [])
            if one.alert_state not in {AlertState.SENT, AlertState.SUPPRESSED}:
                self._report.found(ProblemKind.ALERT_MISSING, f"{name} is {one.alert_state}")
            elif not alerts and one.alert_id is not None:
                text = f"{name} is {one.alert_state} by {one.alert_id}, which was never published"
                self._report.found(ProblemKind.ALERT_MISSING, text)
            elif one.alert_state is AlertState.SUPPRESSED:
                if alerts:
                    self._judge_suppressed(one, alerts[0])
            elif (row := kept.get((one.user_id, one.event_key))) is not None:
                self._judge_published(row, alerts)
        sent = {one.alert_id: name for name, one in flagged.items() if one.alert_state is AlertState.SENT}
        for alert_id, alerts in delivered.items():
            for alert in alerts:
                if alert.user_id in users and sent.get(alert_id) != (alert.user_id, alert.event_key):
                    text = f"alert {alert_id} of {alert.event_key}, which is not marked sent"
                    self._report.found(ProblemKind.ALERT_UNCALLED, text)
        self._judge_repeats({name: copies for name, copies in messages.items() if copies[0].user_id in users})
        self._judge_account(users, flagged)

    def _judge_published(self, row: ScoredTransaction, alerts: list[Alert]) -> None:
        severity = Severity.of(row.decision, row.risk_score)
        for alert in alerts:
            if (alert.severity, *of_alert(alert)) != (severity, *decided(row)):
                text = f"{alert.alert_id} says {alert.severity} {of_alert(alert)}, must say {severity} {decided(row)}"
                self._report.found(ProblemKind.ALERT_CHANGED, text)
        if len(set(map(self._content, alerts))) > 1:
            self._report.found(
                ProblemKind.ALERT_CHANGED, f"{alerts[0].alert_id} was repeated with another content"
            )

    def _judge_suppressed(self, one: FlaggedTransaction, alert: Alert) -> None:
        """The alert that a suppressed payment names is of its user and its window, and at least as severe."""
        window = timedelta(seconds=float(str(self._site.specs["alert"].environment["ALERT_WINDOW_SECONDS"])))
        is_of_window = abs(one.occurred_at - alert.window_start) < window
        is_severe = alert.severity.rank >= Severity.of(one.decision, one.risk_score).rank
        if (
            alert.user_id != one.user_id
            or not is_of_window
            or not (is_severe or self._is_at_limit(one.user_id))
        ):
            text = f"{one.transaction_id} was suppressed by {alert.alert_id}, which does not cover it"
            self._report.found(ProblemKind.ALERT_CHANGED, text)

    def _is_at_limit(self, user_id: str) -> bool:
        """Whether a user had so many alerts that a graver payment may have been suppressed: all but those kept for such payments."""
        most = int(str(self._site.specs["alert"].environment["ALERT_MESSAGES_PER_HOUR"]))
        alerts = [
            copies[0] for copies in self._site.stores.delivered.values() if isinstance(copies[0], Alert)
        ]
        return sum(alert.user_id == user_id for alert in alerts) >= most - most // RESERVED_SHARE

    def _judge_account(self, users: set[str], flagged: dict[RowKey, FlaggedTransaction]) -> None:
        """Alerted on, in an alert's count or in a digest: together all that was flagged, in numbers and in value."""
        messages = [
            one for copies in self._site.stores.delivered.values() for one in copies if one.user_id in users
        ]
        windows = self._site.stores.windows(sorted(users))
        closed_at = datetime.now(UTC) + WINDOWS_CLOSED - timedelta(minutes=1)
        self._report.digests = len({one.alert_id for one in messages if isinstance(one, AlertDigest)})
        self._report.found(
            ProblemKind.ALERT_ACCOUNT,
            *account_problems(flagged.values(), messages, windows),
            *(
                f"{one.user_id}: a digest is due at {one.due_at} and was not sent"
                for one in windows
                if one.due_at is not None and one.due_at < closed_at
            ),
        )
        for copies in self._site.stores.delivered.values():
            if isinstance(copies[0], AlertDigest) and len(set(map(self._content, copies))) > 1:
                text = f"digest {copies[0].alert_id} was repeated with another content"
                self._report.found(ProblemKind.ALERT_CHANGED, text)

    def _content(self, message: Alert | AlertDigest) -> bytes:
        """Everything that copies of a message must share."""
        return encode_message(msgspec.structs.replace(message, alerted_at=self._started_at))

    def _judge_repeats(self, alerts: dict[str, list[Alert | AlertDigest]]) -> None:
        repeated = sum(len(messages) - 1 for messages in alerts.values())
        self._report.alerts_repeated = repeated
        if repeated > self._fault.repeats_at_most:
            text = f"{repeated} messages repeated; at most {self._fault.repeats_at_most} may be"
            self._report.found(ProblemKind.ALERT_REPEATED, text)
        often = [name for name, messages in alerts.items() if len(messages) > MESSAGES_AN_ALERT]
        self._report.found(
            ProblemKind.ALERT_REPEATED,
            *(f"{name} came more than {MESSAGES_AN_ALERT} times" for name in often),
        )

    def _payments(self, given: Iterable[Sent]) -> set[tuple[str, str]]:
        """User and transaction id of each valid payment."""
        keys = set()
        for record in given:
            try:
                transaction = decode_transaction(record.value)
            except InvalidTransactionError:
                continue
            keys.add((transaction.user_id, transaction.transaction_id))
        return keys


def _payments(packed: bytes | None) -> int:
    """How many payments an entity has counted in its weeks."""
    return 0 if packed is None else total(from_bytes(packed).weeks, PAYMENTS)


def decided(row: ScoredTransaction) -> tuple[object, ...]:
    """What every later stage must repeat of a payment's row."""
    payment = row.transaction
    return (
        payment.user_id,
        payment.transaction_id,
        payment.amount,
        payment.currency,
        row.decision,
        row.risk_score,
        row.reasons,
        str(row.position),
        row.ruleset_version,
        row.degraded,
    )


def of_flagged(one: FlaggedTransaction) -> tuple[object, ...]:
    """The same fields of a flagged row."""
    return (
        one.user_id,
        one.transaction_id,
        one.amount,
        one.currency,
        one.decision,
        one.risk_score,
        one.reasons,
        one.position,
        one.ruleset_version,
        one.degraded,
    )


def of_alert(alert: Alert) -> tuple[object, ...]:
    """The same fields of an alert."""
    return (
        alert.user_id,
        alert.transaction.transaction_id,
        alert.transaction.amount,
        alert.transaction.currency,
        alert.decision,
        alert.risk_score,
        alert.reasons,
        alert.position,
        alert.ruleset_version,
        alert.scored_degraded,
    )
