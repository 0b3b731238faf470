"""Whether every transaction is accounted for, exactly once, from the file to the alert; and how fast and how well it went.

Pure: a feed and an account in, a report out.
"""

from __future__ import annotations

from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING, Final

import msgspec

from contract.alert import AlertState
from contract.scored import Decision
from lab.detection import DetectionReport, evaluate
from local.demo.account import quarantined_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from local.demo.account import Account
    from local.demo.feed import Feed

MAX_NAMED: Final = 5
"""So many of what is missing are named."""


class Percentiles(msgspec.Struct, frozen=True):
    """Of a measurement, in its unit; None without any."""

    p50: float | None
    p95: float | None
    p99: float | None


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to."""

    source: str
    generated: int
    """Transactions that were dropped."""
    bad_rows: int
    """Rows that were made to be refused, dropped beside them."""
    landed_bad: int
    """Rows that the Glue job put aside."""
    published: int
    """Records of the topic."""
    repeats: int
    """Records that repeat another one; the Glue job may publish a batch again after a failure."""
    history: int
    degraded: int
    """Of these, scored without the cache."""
    quarantined: int
    """Records that the score stage put aside."""
    flagged: int
    alerts: int
    """Distinct alert ids that a subscriber got."""
    alerts_repeated: int
    """Messages beyond the first with the same alert id."""
    suppressed: int
    """Flagged payments that an alert of their user's window tells of."""
    dead_letters: int
    reconciled: bool
    problems: tuple[str, ...]
    """What is missing or too much, a sentence each; empty where all is accounted for."""
    ruleset_versions: tuple[str, ...]
    seconds: float
    """From the first file dropped to the last decision."""
    throughput_tps: float
    """Decisions a second over that time."""
    latency_ms: Percentiles
    """From Kafka's append of a payment to the delivery of its alert to a subscriber's queue, with the backlog in it."""
    detection: DetectionReport | None
    """Against the labels; None where there are none."""


def make_report(feed: Feed, account: Account, began_at: datetime) -> DemoReport:
    """Hold what was dropped against what is there.

    Parameters
    ----------
    feed : Feed
        What was dropped.
    account : Account
        What every store holds in the end.
    began_at : datetime
        When the first file was dropped, UTC.
    """
    on_topic = Counter(account.topic_ids)
    flagged_by_state = Counter(row.alert_state for row in account.flagged)
    deliveries = Counter(delivered.alert.alert_id for delivered in account.delivered)
    latencies = [
        each.delivered_at_ms - each.alert.appended_at.timestamp() * 1000 for each in account.delivered
    ]
    last_scored_at = max((row.scored_at for row in account.history), default=began_at)
    seconds = (last_scored_at - began_at).total_seconds()
    decisions = {row.transaction.transaction_id: row.decision.value for row in account.history}
    problems = (
        *_landing_problems(feed, account),
        *_history_problems(account),
        *_flagged_problems(account),
        *_alert_problems(account),
    )
    return DemoReport(
        source=feed.source,
        generated=feed.transactions,
        bad_rows=feed.bad_rows,
        landed_bad=len(account.landed_bad),
        published=len(account.topic_ids),
        repeats=len(account.topic_ids) - len(on_topic),
        history=len(account.history),
        degraded=sum(row.degraded for row in account.history),
        quarantined=len(account.quarantined),
        flagged=len(account.flagged),
        alerts=len(deliveries),
        alerts_repeated=deliveries.total() - len(deliveries),
        suppressed=flagged_by_state[AlertState.SUPPRESSED],
        dead_letters=account.dead_letters,
        reconciled=not problems,
        problems=problems,
        ruleset_versions=tuple(sorted({row.ruleset_version for row in account.history})),
        seconds=seconds,
        throughput_tps=len(account.history) / seconds if seconds > 0 else 0.0,
        latency_ms=_percentiles(latencies),
        detection=evaluate(feed.labels, decisions) if feed.labels else None,
    )


def _landing_problems(feed: Feed, account: Account) -> Iterable[str]:
    missing = feed.rows_by_id.keys() - set(account.topic_ids)
    expected = feed.bad_rows + feed.rows_without_id + sum(feed.rows_by_id[name] for name in missing)
    if len(account.landed_bad) != expected:
        yield (
            f"the Glue job put {len(account.landed_bad)} rows aside, {expected} are not on the topic"
            f"{_named(missing)}"
        )
    if unknown := set(account.topic_ids) - feed.rows_by_id.keys():
        yield f"{len(unknown)} transactions on the topic were never dropped{_named(unknown)}"


def _history_problems(account: Account) -> Iterable[str]:
    history = Counter(row.transaction.transaction_id for row in account.history)
    quarantined = {quarantined_id(body) for body in account.quarantined}
    if missing := set(account.topic_ids) - history.keys() - quarantined:
        yield f"{len(missing)} transactions on the topic are neither in the history nor in quarantine{_named(missing)}"
    if doubled := {name for name, count in history.items() if count > 1}:
        yield f"{len(doubled)} transactions stand in the history more than once{_named(doubled)}"


def _flagged_problems(account: Account) -> Iterable[str]:
    suspicious = {
        (row.transaction.user_id, row.transaction.event_key)
        for row in account.history
        if row.decision is not Decision.APPROVE
    }
    flagged = {(row.user_id, row.event_key) for row in account.flagged}
    if missing := suspicious - flagged:
        yield f"{len(missing)} suspicious transactions are not flagged{_named(key for _, key in missing)}"
    if surplus := flagged - suspicious:
        yield f"{len(surplus)} flagged transactions were approved{_named(key for _, key in surplus)}"
    if account.dead_letters:
        yield f"{account.dead_letters} messages in dead-letter queues"


def _alert_problems(account: Account) -> Iterable[str]:
    sent = {row.alert_id for row in account.flagged if row.alert_state is AlertState.SENT}
    delivered = {each.alert.alert_id for each in account.delivered}
    settled = {AlertState.SENT, AlertState.SUPPRESSED}
    if untold := {row.transaction_id for row in account.flagged if row.alert_state not in settled}:
        yield f"{len(untold)} flagged transactions have neither alert nor window{_named(untold)}"
    if lost := sent - delivered:
        yield f"{len(lost)} alerts were sent and not delivered{_named(lost)}"
    if unknown := delivered - sent:
        yield f"{len(unknown)} alerts were delivered that no flagged transaction has{_named(unknown)}"
    suppressed = sum(row.alert_state is AlertState.SUPPRESSED for row in account.flagged)
    if len(account.flagged) != len(delivered) + suppressed:
        yield (f"{len(account.flagged)} flagged are not {len(delivered)} alerts and {suppressed} suppressed")


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
