"""Check that every transaction is accounted for exactly once, from the file to the alert; and measure speed and detection.

Pure: takes what was dropped and what the stores hold, returns a report.
"""

from __future__ import annotations

from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING, Final

import msgspec

from contract.alert import AlertKind, AlertState
from contract.alert_account import account_problems
from contract.scored import Decision
from lab.measures import DetectionReport, evaluate
from local.demo.final_state import quarantined_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from local.demo.feed import Feed
    from local.demo.final_state import FinalState

MAX_NAMED: Final = 5
"""At most this many missing ids are named."""


class Percentiles(msgspec.Struct, frozen=True):
    """Percentiles of measurements, in their unit; None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run."""

    source: str
    generated: int
    """Transactions that were dropped."""
    bad_rows: int
    """Rows made to be refused, dropped in the same files."""
    landed_bad: int
    """Rows that the Glue job quarantined."""
    refunds: int = 0
    """Rows that the Glue job counted as refunds, and published nowhere."""
    published: int
    """Records of the topic."""
    repeats: int
    """Records with the id of an earlier record; the Glue job may publish a batch again after a failure."""
    history: int
    degraded: int
    """Of ``history``: scored without the cache."""
    quarantined: int
    """Records that the score stage quarantined."""
    flagged: int
    alerts: int
    """Distinct alert ids that a subscriber received."""
    alerts_repeated: int
    """Messages beyond the first with the same alert id."""
    alerts_again: int = 0
    """Of ``alerts``: sent within the window of an earlier one, because the payment is graver or much more money is at stake."""
    suppressed: int
    """Flagged payments without an alert of their own: counted in a later alert of their user or in a digest, or waiting."""
    waiting: int = 0
    """Of ``suppressed``: to be counted in their user's next message, an alert or a digest."""
    digests: int = 0
    """Distinct digests that a subscriber received."""
    dead_letters: int
    reconciled: bool
    problems: tuple[str, ...]
    """What is missing or surplus, one sentence each; empty if everything is accounted for."""
    ruleset_versions: tuple[str, ...]
    seconds: float
    """From the first file dropped to the last decision."""
    throughput_tps: float
    """Decisions a second over that time."""
    latency_ms: Percentiles
    """From Kafka's append of a payment to the delivery of its alert to a subscriber's queue; time in a backlog counts."""
    detection: DetectionReport | None
    """Compared with the truth; None if it is unknown."""


def make_report(feed: Feed, final_state: FinalState, began_at: datetime) -> DemoReport:
    """Compare what was dropped with what the stores hold.

    Parameters
    ----------
    feed : Feed
        What was dropped.
    final_state : FinalState
        What every store holds after the run.
    began_at : datetime
        When the first file was dropped, UTC.
    """
    on_topic = Counter(final_state.topic_ids)
    flagged_by_state = Counter(row.alert_state for row in final_state.flagged)
    deliveries = Counter(delivered.alert.alert_id for delivered in final_state.delivered)
    again = {each.alert.alert_id for each in final_state.delivered if each.alert.kind is AlertKind.AGAIN}
    latencies = [
        each.delivered_at_ms - each.alert.appended_at.timestamp() * 1000 for each in final_state.delivered
    ]
    last_scored_at = max((row.scored_at for row in final_state.history), default=began_at)
    seconds = (last_scored_at - began_at).total_seconds()
    decisions = {row.transaction.transaction_id: row.decision.value for row in final_state.history}
    problems = (
        *_landing_problems(feed, final_state),
        *_history_problems(final_state),
        *_flagged_problems(final_state),
        *_alert_problems(final_state),
    )
    return DemoReport(
        source=feed.source,
        generated=feed.transactions,
        bad_rows=feed.bad_rows,
        landed_bad=len(final_state.landed_bad),
        refunds=final_state.refunds,
        published=len(final_state.topic_ids),
        repeats=len(final_state.topic_ids) - len(on_topic),
        history=len(final_state.history),
        degraded=sum(row.degraded for row in final_state.history),
        quarantined=len(final_state.quarantined),
        flagged=len(final_state.flagged),
        alerts=len(deliveries),
        alerts_repeated=deliveries.total() - len(deliveries),
        alerts_again=len(again),
        suppressed=flagged_by_state[AlertState.SUPPRESSED],
        waiting=_waiting(final_state),
        digests=len({one.alert_id for one in final_state.digests}),
        dead_letters=final_state.dead_letters,
        reconciled=not problems,
        problems=problems,
        ruleset_versions=tuple(sorted({row.ruleset_version for row in final_state.history})),
        seconds=seconds,
        throughput_tps=len(final_state.history) / seconds if seconds > 0 else 0.0,
        latency_ms=_percentiles(latencies),
        detection=evaluate(feed.truths, decisions) if feed.truths else None,
    )


def _waiting(final_state: FinalState) -> int:
    """How many suppressed payments no message has counted yet."""
    received = {one.payments.id for one in final_state.digests}
    claimed = [windows.digest.payments for windows in final_state.waiting if windows.digest is not None]
    not_received = sum(payments.count for payments in claimed if payments.id not in received)
    return not_received + sum(windows.suppressed.count for windows in final_state.waiting)


def _landing_problems(feed: Feed, final_state: FinalState) -> Iterable[str]:
    missing = feed.rows_by_id.keys() - set(final_state.topic_ids)
    expected = feed.bad_rows + feed.rows_without_id + sum(feed.rows_by_id[name] for name in missing)
    if len(final_state.landed_bad) + final_state.refunds != expected:
        yield (
            f"the Glue job quarantined {len(final_state.landed_bad)} rows and counted {final_state.refunds} refunds, "
            f"but {expected} rows are not on the topic{_named(missing)}"
        )
    if feed.transactions and not final_state.topic_ids:
        reasons = (str(row.get("reason")) for row in final_state.landed_bad)
        first = feed.first_problem or next(reasons, "no row was quarantined")
        yield f"none of {feed.transactions} rows is a valid payment. The first: {first}"
    if unknown := set(final_state.topic_ids) - feed.rows_by_id.keys():
        yield f"{len(unknown)} transactions on the topic were never dropped{_named(unknown)}"


def _history_problems(final_state: FinalState) -> Iterable[str]:
    history = Counter(row.transaction.transaction_id for row in final_state.history)
    quarantined = {quarantined_id(body) for body in final_state.quarantined}
    if missing := set(final_state.topic_ids) - history.keys() - quarantined:
        yield f"{len(missing)} transactions on the topic are neither scored nor quarantined{_named(missing)}"
    if doubled := {name for name, count in history.items() if count > 1}:
        yield f"{len(doubled)} transactions are in the history more than once{_named(doubled)}"


def _flagged_problems(final_state: FinalState) -> Iterable[str]:
    suspicious = {
        (row.transaction.user_id, row.event_key)
        for row in final_state.history
        if row.decision is not Decision.APPROVE and not row.repeats
    }
    flagged = {(row.user_id, row.event_key) for row in final_state.flagged}
    if missing := suspicious - flagged:
        yield f"{len(missing)} suspicious transactions are not flagged{_named(key for _, key in missing)}"
    if surplus := flagged - suspicious:
        yield f"{len(surplus)} flagged transactions were approved{_named(key for _, key in surplus)}"
    if final_state.dead_letters:
        yield f"{final_state.dead_letters} messages in dead-letter queues"


def _alert_problems(final_state: FinalState) -> Iterable[str]:
    sent = {row.alert_id for row in final_state.flagged if row.alert_state is AlertState.SENT}
    delivered = {each.alert.alert_id for each in final_state.delivered}
    settled = {AlertState.SENT, AlertState.SUPPRESSED}
    if unsettled := {row.transaction_id for row in final_state.flagged if row.alert_state not in settled}:
        yield f"{len(unsettled)} flagged transactions have no alert, and no other alert covers them{_named(unsettled)}"
    if lost := sent - delivered:
        yield f"{len(lost)} alerts were sent and not delivered{_named(lost)}"
    if unknown := delivered - sent:
        yield f"{len(unknown)} alerts were delivered that belong to no flagged transaction{_named(unknown)}"
    messages = [each.alert for each in final_state.delivered]
    yield from account_problems(final_state.flagged, [*messages, *final_state.digests], final_state.waiting)


def _named(names: Collection[str | None] | Iterable[str | None]) -> str:
    some = sorted(str(name) for name in names)
    if not some:
        return ""
    more = f" and {len(some) - MAX_NAMED} more" if len(some) > MAX_NAMED else ""
    return f": {', '.join(some[:MAX_NAMED])}{more}"


def _percentiles(values: list[float]) -> Percentiles:
    if not values:
        return Percentiles(None, None, None)
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return Percentiles(round(cuts[49], 1), round(cuts[94], 1), round(cuts[98], 1))
