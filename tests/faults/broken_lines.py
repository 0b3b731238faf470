"""Lines of functions, as they are and broken on purpose: what the matrix must notice.

The faults are those of the catalogue, or short forms of them that still reveal the broken line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from local.faults.aws_answers import refused

from .aws import always, bad_calls
from .cache import fail_over, late_write
from .catalogue import ENTITIES
from .fault import Degrades, Fault, nothing
from .kafka import again
from .kills import AS_MANY_AS_COME, outlive_time_out
from .report import ProblemKind


@dataclass(frozen=True)
class BrokenLine:
    """One line of a function, as it is and broken."""

    name: str
    module: str
    original: str
    broken: str
    fault: Fault
    """The fault that the line protects from."""
    kinds: frozenset[ProblemKind]
    """At least one of these must be found: the kinds of problems that the line prevents."""

    @property
    def function(self) -> str:
        return self.module.partition("/")[0]


REFUSED = always(partial(refused, code="KMSAccessDenied"))
"""An error that no client retries: a retry would outlast the fault."""

BROKEN_LINES = (
    BrokenLine(
        "the failure list left out",
        "score/stage.py",
        "return failure_response(failed)",
        "return failure_response(set())",
        Fault(
            "no quarantine",
            partial(bad_calls, REFUSED, service="sqs", share=1.0),
            lasts_seconds=1.0,
        ),
        frozenset({ProblemKind.LOST}),
    ),
    BrokenLine(
        "no compare-and-set",
        "score/profile_store.py",
        "if text('GETRANGE', KEYS[i], 0, 7) ~= expected then",
        "if false then",
        Fault(
            "a writer is held",
            partial(
                outlive_time_out, "score", [("BatchExecuteStatement", False)], overtakers=[AS_MANY_AS_COME]
            ),
            lasts_seconds=3.0,
            needs_quiet=True,
        ),
        frozenset({ProblemKind.PROFILE, ProblemKind.CHANGED}),
    ),
    BrokenLine(
        "no check of the entities' marks",
        "score/entity_store.py",
        "if is_other then return marks end",
        "if false then return marks end",
        # Not an invocation that is overtaken: its profiles' write finds that out before, and it reads the marks again.
        Fault("an addition arrives late", partial(late_write, ENTITIES)),
        frozenset({ProblemKind.ENTITY}),
    ),
    BrokenLine(
        "gaps before the entities' marks overlooked",
        "score/entity_work.py",
        "if span.first > offset + 1 or partition in self._lost_to:",
        "if False:",
        Fault("failover", fail_over, degrades=Degrades.MAY),
        frozenset({ProblemKind.ENTITY}),
    ),
    BrokenLine(
        "gaps in a profile's progress overlooked",
        "score/profile_store.py",
        "if span.first > folded_to + 1:",
        "if False:",
        Fault("failover", fail_over, degrades=Degrades.MAY),
        frozenset({ProblemKind.PROFILE, ProblemKind.CHANGED}),
    ),
    BrokenLine(
        "a put instead of an insert",
        "persist/store.py",
        'ConditionExpression="attribute_not_exists(user_id)",',
        "",
        Fault("again", partial(again, "persist")),
        frozenset({ProblemKind.ALERT_MISSING, ProblemKind.ALERT_ACCOUNT}),
    ),
    BrokenLine(
        "a suppressed payment not counted",
        "alert/windows.py",
        "suppressed=_count(before.suppressed, flagged, severity),",
        "suppressed=before.suppressed,",
        Fault("no fault, not counted", nothing),
        frozenset({ProblemKind.ALERT_ACCOUNT}),
    ),
    BrokenLine(
        "a judgement counted and the one before not taken out",
        "case/fold.py",
        "counted(_uncounted(case, flagged), Judgement.of(flagged.status), flagged, 1)",
        "counted(case, Judgement.of(flagged.status), flagged, 1)",
        Fault("labels, and no fault", nothing, has_labels=True),
        frozenset({ProblemKind.CASE}),
    ),
    BrokenLine(
        "a digest sent and not marked",
        "digest/stage.py",
        "if after is None or self._store.replace(after, self._clock()):",
        "if True:",
        Fault("no fault, not marked", nothing),
        frozenset({ProblemKind.ALERT_REPEATED}),
    ),
    BrokenLine(
        "a failed publication ignored",
        "alert/stage.py",
        "emit(self._metrics, Metric.PUBLISH_FAILURES)\n            raise",
        "emit(self._metrics, Metric.PUBLISH_FAILURES)\n            return",
        Fault(
            "SNS refuses",
            partial(bad_calls, REFUSED, function="alert", service="sns", share=1.0),
            lasts_seconds=1.0,
        ),
        frozenset({ProblemKind.ALERT_MISSING}),
    ),
    BrokenLine(
        "every payment decided as if the cache were unavailable",
        "score/stage.py",
        "degraded=work.is_degraded,",
        "degraded=True,",
        Fault("nothing", nothing),
        frozenset({ProblemKind.DEGRADED}),
    ),
)
