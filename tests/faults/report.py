"""The matrix's report: kinds of problems, the problems of one run, and one row for each fault that sums up its runs."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ProblemKind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    """A record is neither in the history nor in quarantine."""
    DOUBLED = "doubled"
    """A payment has more than one row."""
    CHANGED = "changed"
    """A row of the history is not the oracle's."""
    DEGRADED = "degraded"
    """A row says that it was decided without the cache, but the fault was not one of the cache."""
    MISSED = "missed"
    """The reconciler finds a payment that a stage has missed."""
    PROFILE = "profile"
    """A profile is not the oracle's."""
    ENTITY = "entity"
    """What a card, device or merchant has counted is not what the stored rows give, and nothing says that it is incomplete."""
    LABEL = "label"
    """A label is missing, or a status, an entity's risk or a user's verdicts are not what the labels say."""
    CASE = "case"
    """A flagged payment is in no case or in two, or a case does not say what its payments' rows say."""
    DEAD_LETTER = "dead letter"
    """Something was dead-lettered."""
    FLAGGED = "flagged"
    """A flagged row is missing or superfluous, or differs from the payment's row in the history."""
    ALERT_MISSING = "alert missing"
    """No alert was published for a payment, neither its own nor its window's."""
    ALERT_UNCALLED = "alert uncalled"
    """A message was published that belongs to no payment marked sent."""
    ALERT_CHANGED = "alert changed"
    """An alert differs from its payment's row, or does not cover a payment that it suppressed."""
    ALERT_ACCOUNT = "alert account"
    """A flagged payment is in no message or in two, or a message's count or sum is not that of its payments."""
    ALERT_REPEATED = "alert repeated"
    """A message came more often than the fault allows."""
    NO_EFFECT = "no effect"
    """Nothing shows that the fault had an effect, so the run proves nothing."""
    BROKEN = "broken"
    """The run ended with an error."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong after a run."""

    kind: ProblemKind
    text: str


class RunReport(msgspec.Struct):
    """The result of one run."""

    seed: int
    transactions: int = 0
    """Payments; one that was sent several times counts once."""
    degraded: int = 0
    """Rows that say that they were decided without the cache."""
    raced: int = 0
    """Rows that their writers listed as decided behind one that was stored otherwise meanwhile; allowed, and counted."""
    entities: int = 0
    """Cards, devices and merchants whose state was compared."""
    entities_incomplete: bool = False
    """Whether the cache says that payments are missing in their state since the run began."""
    labels: int = 0
    """Labels whose effects were compared."""
    alerts_repeated: int = 0
    """Messages beyond the first of each alert, allowed or not."""
    digests: int = 0
    """Digests that were sent."""
    recovery_s: float = 0.0
    """From the end of the fault until all stages were idle. A third of the stream is sent in that time, so the fault "none" has a
    recovery too. A mapping writes its status every 0.5 s."""
    problems: list[Problem] = msgspec.field(default_factory=list)

    def found(self, kind: ProblemKind, *texts: str) -> None:
        """Add one problem for each text."""
        self.problems += [Problem(kind, text) for text in texts]

    def count(self, kind: ProblemKind) -> int:
        """How many problems of a kind there are."""
        return sum(problem.kind is kind for problem in self.problems)


class FaultReport(msgspec.Struct):
    """One row of the report: a fault, with the sums of all its runs."""

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
    """The longest."""
    each_run: list[RunReport] = msgspec.field(default_factory=list)

    def add(self, run: RunReport) -> None:
        """Add one run."""
        self.runs += 1
        self.each_run.append(run)
        self.transactions += run.transactions
        self.lost += run.count(ProblemKind.LOST)
        self.doubled += run.count(ProblemKind.DOUBLED)
        self.changed += run.count(ProblemKind.CHANGED)
        self.degraded += run.degraded
        self.alerts_missing += run.count(ProblemKind.ALERT_MISSING)
        self.alerts_repeated += run.alerts_repeated + run.count(ProblemKind.ALERT_UNCALLED)
        self.recovery_s = max(self.recovery_s, run.recovery_s)
