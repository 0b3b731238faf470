"""Exactly once under faults: the whole local stack, broken in every way there is, against a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment at which it strikes. Writes `build/faults-report.json`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.alert import AlertState
from contract.scored import Decision
from local.specs import ROOT
from score.ruleset import parse_ruleset
from tests.oracle import Oracle, profile_problems

from .catalogue import FAULTS, IS_LONG, Fault
from .site import FUNCTIONS, Site
from .stream import Sent, Stream

if TYPE_CHECKING:
    from contract.scored import Position, ScoredTransaction

SEEDS = range(5) if IS_LONG else range(1)
RECORDS = 300 if IS_LONG else 150
REPORT = ROOT / "build" / "faults-report.json"
PERSONAL = (
    b"198.51.100.23",
    b"4111111111111111",
    b"tok_",
    b"Berlin",
    b"Lagos",
    # To the metre, so that no latency in ms is taken for a place.
    b"52.5200066",
    b"13.404954",
    b"6.5243793",
    b"3.3792057",
)
"""What the stream's payments, and the records that are none, hold of people."""
RULESET = parse_ruleset((ROOT / "rules" / "default.yaml").read_text())
RULESET_VERSION = f"{RULESET.version}+{RULESET.digest}"


class Row(msgspec.Struct):
    """What became of one fault, over all its runs."""

    fault: str
    runs: int = 0
    transactions: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    degraded: int = 0
    alerts_missing: int = 0
    alerts_repeated: int = 0
    recovery_s: float = 0.0
    """The longest, from the end of the fault until the backlog was empty."""
    problems: list[str] = msgspec.field(default_factory=list)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("faults"))
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def report() -> Iterator[dict[str, Row]]:
    rows: dict[str, Row] = {}
    yield rows
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(list(rows.values()))))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_payment_counts_once_under(fault: Fault, seed: int, site: Site, report: dict[str, Row]) -> None:
    row = report.setdefault(fault.name, Row(fault.name))
    run = Run(site, fault, seed)

    try:
        recovery_s = run.go()
        run.judge(row)
    finally:
        site.mend()

    row.recovery_s = round(max(row.recovery_s, recovery_s), 2)
    assert row.problems == []


def test_the_logs_of_the_whole_run_hold_nothing_personal(site: Site) -> None:
    """Runs last, on whatever the functions said under all the faults before."""
    logs = [log for log in site.logs.glob("*/*.log") if log.stem in FUNCTIONS]

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    assert [one for one in PERSONAL if one in text] == []


class Run:
    """One stream of payments through one fault."""

    def __init__(self, site: Site, fault: Fault, seed: int) -> None:
        self.site = site
        self.fault = fault
        self.seed = seed
        name = f"f{FAULTS.index(fault)}-{seed}"
        self.started_at = datetime.now(UTC)
        self.stream = Stream(name, seed, self.started_at)
        self.sent: list[tuple[Position, Sent]] = []

    def go(self) -> float:
        """Send, break, mend, and wait until all is done; returns how long the last took, s.

        In the end each user pays once more: that brings its profile to light, where it was evicted or has become stale.
        """
        self._send(self.stream.take(RECORDS // 3))
        if self.fault.needs_quiet:
            self.site.be_quiet()
        with self.fault.begin(self.site, self.seed):
            self._send(self.stream.take(RECORDS // 3))
        self._send([*self.stream.take(RECORDS // 3), *self.stream.one_of_each_user()])
        return self.site.be_quiet()

    def judge(self, row: Row) -> None:
        """Compare everything that is kept with the oracle, and add the differences up."""
        oracle = Oracle()
        for position, sent in self.sent:
            oracle.take(position, sent.value, self.started_at)
        users = list(oracle.profiles)
        history = self.site.history(users)
        self.site.collect()
        row.runs += 1
        row.transactions += len(oracle.payments)
        kept = {(one.transaction.user_id, one.transaction.event_key): one for one in history}
        lost = [str(key) for key in oracle.payments if key not in kept]
        lost += [str(position) for position in oracle.rejected if position not in self.site.quarantined]
        doubled = len(history) - len(kept)
        degraded = {key for key, one in kept.items() if one.degraded}
        changed = oracle.problems_of(history, {RULESET_VERSION: RULESET}.get)
        row.degraded += len(degraded)
        row.lost += len(lost)
        row.doubled += doubled
        row.changed += len(changed.keys() - degraded)
        row.problems += [f"lost: {one}" for one in lost]
        row.problems += [f"{doubled} doubled"] * bool(doubled)
        row.problems += [f"{key}: {text}" for key, text in changed.items() if key not in degraded]
        profiles = profile_problems(self.site.profiles(users), oracle.profiles)
        row.problems += [f"profile of {user}: {text}" for user, text in profiles.items()]
        if dead := self.site.dead_letters():
            row.problems.append(f"{dead} dead letters")
        self._judge_alerts(row, users, list(kept.values()))

    def _judge_alerts(self, row: Row, users: list[str], history: "list[ScoredTransaction]") -> None:
        wanted = {one.transaction.transaction_id for one in history if one.decision is not Decision.APPROVE}
        flagged = {one.transaction_id: one for one in self.site.flagged(users)}
        delivered = self.site.delivered
        missing = [f"flagged: {name}" for name in wanted ^ flagged.keys()]
        for name, one in flagged.items():
            if one.alert_state not in {AlertState.SENT, AlertState.SUPPRESSED}:
                missing.append(f"{name} is {one.alert_state}")
            elif one.alert_id not in delivered:
                missing.append(f"{name} is {one.alert_state} by {one.alert_id}, which nobody got")
        sent = {one.alert_id for one in flagged.values() if one.alert_state is AlertState.SENT}
        repeated = sum(len(delivered[alert_id]) - 1 for alert_id in sent if alert_id in delivered)
        row.alerts_missing += len(missing)
        row.alerts_repeated += repeated
        row.problems += missing
        assert wanted, "the stream has nothing to alert on"
        if repeated and not self.fault.may_repeat_alerts:
            row.problems.append(f"{repeated} alerts repeated")

    def _send(self, records: list[Sent]) -> None:
        self.sent += zip(self.site.produce(records), records, strict=True)
