"""What a run of the matrix can find wrong, by kind, and the row of the report that adds a fault's runs up."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    """A record is neither in the history nor in quarantine."""
    DOUBLED = "doubled"
    """A payment has more than one row."""
    CHANGED = "changed"
    """A row of the history is not the oracle's."""
    DEGRADED = "degraded"
    """A row says that it was decided without the cache, and the fault was none of the cache's."""
    PROFILE = "profile"
    """A profile is not the oracle's."""
    DEAD_LETTER = "dead letter"
    """Something was given up."""
    FLAGGED = "flagged"
    """A flagged row is missing, too many, or does not say what the payment's row in the history says."""
    ALERT_MISSING = "alert missing"
    """Nobody was told of a payment, by an alert of its own or of its window."""
    ALERT_UNCALLED = "alert uncalled"
    """A message that no payment calls for."""
    ALERT_CHANGED = "alert changed"
    """An alert, or the one that stands for a payment that was only counted, does not say what it must."""
    ALERT_REPEATED = "alert repeated"
    """A message came more often than the fault allows."""
    NO_BITE = "no bite"
    """Nothing shows that the fault was there, so that nothing was proved."""
    BROKEN = "broken"
    """The run did not come to its end."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong after a run."""

    kind: Kind
    text: str


class RunReport(msgspec.Struct):
    """What became of one run."""

    seed: int
    transactions: int = 0
    """Payments, each counted once however often it was sent."""
    degraded: int = 0
    """Rows that say that they were decided without the cache."""
    alerts_repeated: int = 0
    """Messages beyond one an alert, allowed or not."""
    recovery_s: float = 0.0
    """From the end of the fault until no stage had anything to do. A third of the stream comes meanwhile, so that the fault
    "none" has one too; a mapping tells of itself every 0.5 s."""
    problems: list[Problem] = msgspec.field(default_factory=list)

    def found(self, kind: Kind, *texts: str) -> None:
        """Add one problem for each text."""
        self.problems += [Problem(kind, text) for text in texts]

    def count(self, kind: Kind) -> int:
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
        self.lost += run.count(Kind.LOST)
        self.doubled += run.count(Kind.DOUBLED)
        self.changed += run.count(Kind.CHANGED)
        self.degraded += run.degraded
        self.alerts_missing += run.count(Kind.ALERT_MISSING)
        self.alerts_repeated += run.alerts_repeated + run.count(Kind.ALERT_UNCALLED)
        self.recovery_s = max(self.recovery_s, run.recovery_s)
