"""One stream of payments through one fault: what is sent, and what must have become of it."""

import time
from datetime import UTC, datetime

import msgspec

from contract.alert import AlertState
from contract.errors import InvalidTransactionError
from contract.scored import Decision, Position, ScoredTransaction
from contract.transaction import decode_transaction
from tests.oracle import Oracle, RowKey, profile_problems

from .aws import RULESETS
from .fault import IS_LONG, Degrades, Fault
from .site import Site
from .stream import Sent, Stream

RECORDS = 300 if IS_LONG else 150
SLICES = 10
"""Parts in which payments come while a fault lasts for some time."""


class Row(msgspec.Struct):
    """What became of one fault, over all its runs."""

    fault: str
    runs: int = 0
    transactions: int = 0
    """Payments, each counted once however often it was sent."""
    lost: int = 0
    """Records that were sent, and are neither in the history nor in quarantine."""
    doubled: int = 0
    """Rows of the history beyond one a payment."""
    changed: int = 0
    """Rows that are not the oracle's. Degraded ones are no exception: a rebuild reads more rows than a user has here."""
    degraded: int = 0
    """Rows that say that they were decided without the cache."""
    alerts_missing: int = 0
    """Payments to be told of that nobody was told of, by an alert of their own or of their window."""
    alerts_repeated: int = 0
    """Messages beyond one an alert, and messages that no payment calls for."""
    recovery_s: float = 0.0
    """The longest, from the end of the fault until no stage had anything to do. A third of the stream comes meanwhile, so that
    the fault "none" has one too; a mapping tells of itself every 0.5 s."""
    problems: list[str] = msgspec.field(default_factory=list)


class Run:
    """One stream of payments through one fault."""

    def __init__(self, site: Site, fault: Fault, seed: int) -> None:
        self.site = site
        self.fault = fault
        self.seed = seed
        name = f"{fault.name.replace(' ', '-')}-{seed}"
        self.started_at = datetime.now(UTC)
        self.stream = Stream(name, seed, self.started_at)
        self.given: list[Sent] = []
        self.sent: list[tuple[Position, Sent]] = []

    def go(self) -> float:
        """Send, break, mend, and wait until all is done; returns how long the last took, s.

        In the end each user pays once more: that brings its profile to light, where it was evicted or has become stale.
        """
        self._send(self.stream.take(RECORDS // 3))
        if self.fault.needs_quiet:
            self.site.be_quiet()
        with self.fault.begin(self.site, self.seed) as send:
            records = self.stream.take(RECORDS // 3)
            if send is not None:
                self.given += records
                self.sent += send(records)
            elif self.fault.lasts_seconds:
                for place in range(SLICES):
                    self._send(records[place::SLICES])
                    time.sleep(self.fault.lasts_seconds / SLICES)  # how long the fault lasts
            else:
                self._send(records)
        ended_ms = time.time() * 1000
        self._send([*self.stream.take(RECORDS // 3), *self.stream.one_of_each_user()])
        return max(self.site.be_quiet() - ended_ms, 0.0) / 1000

    def judge(self, row: Row) -> None:
        """Compare everything that is kept with the oracle, and add the differences up."""
        oracle = Oracle()
        for position, sent in self.sent:
            oracle.take(position, sent.value, self.started_at)
        users = list(oracle.profiles)
        history = self.site.history(users)
        self.site.collect()
        kept = {(one.transaction.user_id, one.transaction.event_key): one for one in history}
        lost = [str(key) for key in self._payments() if key not in kept]
        lost += [str(position) for position in oracle.rejected if position not in self.site.quarantined]
        doubled = len(history) - len(kept)
        degraded = {key for key, one in kept.items() if one.degraded}
        changed = oracle.problems_of(history, RULESETS.get)
        row.runs += 1
        row.transactions += len(oracle.payments)
        row.degraded += len(degraded)
        row.lost += len(lost)
        row.doubled += doubled
        row.changed += len(changed)
        row.problems += [f"lost: {one}" for one in lost]
        row.problems += [f"{doubled} doubled"] * bool(doubled)
        row.problems += [f"{key}: {text}" for key, text in changed.items()]
        row.problems += self._degraded_problems(degraded)
        profiles = profile_problems(self.site.profiles(users), oracle.profiles)
        row.problems += [f"profile of {user}: {text}" for user, text in profiles.items()]
        if dead := self.site.dead_letters():
            row.problems.append(f"{dead} dead letters")
        if self.fault.shows_in is not None and not self.fault.shows_in(history):
            row.problems.append("nothing shows that the fault was there")
        self._judge_alerts(row, users, list(kept.values()))

    def _degraded_problems(self, degraded: set[RowKey]) -> list[str]:
        match self.fault.degrades:
            case Degrades.NEVER:
                return [f"{key}: degraded without cause" for key in degraded]
            case Degrades.MUST if not degraded:
                return ["no row is degraded: the fault did not bite"]
        return []

    def _judge_alerts(self, row: Row, users: list[str], history: list[ScoredTransaction]) -> None:
        wanted = {one.transaction.transaction_id for one in history if one.decision is not Decision.APPROVE}
        flagged = {one.transaction_id: one for one in self.site.flagged(users)}
        delivered = self.site.delivered
        missing = [f"not flagged: {name}" for name in wanted - flagged.keys()]
        for name, one in flagged.items():
            if one.alert_state not in {AlertState.SENT, AlertState.SUPPRESSED}:
                missing.append(f"{name} is {one.alert_state}")
            elif one.alert_id not in delivered:
                missing.append(f"{name} is {one.alert_state} by {one.alert_id}, which nobody got")
        sent = {one.alert_id: name for name, one in flagged.items() if one.alert_state is AlertState.SENT}
        of_users = set(users)
        uncalled = [
            f"alert {alert_id} of {alert.flagged_transaction_id}, which called for none"
            for alert_id, alerts in delivered.items()
            for alert in alerts
            if alert.user_id in of_users and sent.get(alert_id) != alert.flagged_transaction_id
        ]
        repeated = sum(len(delivered[alert_id]) - 1 for alert_id in sent if alert_id in delivered)
        row.alerts_missing += len(missing)
        row.alerts_repeated += repeated + len(uncalled)
        row.problems += missing + uncalled
        row.problems += [f"flagged, and should not be: {name}" for name in flagged.keys() - wanted]
        assert wanted, "the stream has nothing to alert on"
        if repeated and not self.fault.may_repeat_alerts:
            row.problems.append(f"{repeated} alerts repeated")

    def _payments(self) -> set[RowKey]:
        """What is to be kept of everything that was sent, by whatever way."""
        keys = set()
        for record in self.given:
            try:
                transaction = decode_transaction(record.value, self.started_at)
            except InvalidTransactionError:
                continue
            keys.add((transaction.user_id, transaction.event_key))
        return keys

    def _send(self, records: list[Sent]) -> None:
        self.given += records
        self.sent += zip(self.site.produce(records), records, strict=True)
