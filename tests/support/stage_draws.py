"""What the state machine of the score stage draws from: users, places, records that are no payments, rulesets, faults."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from contract.transaction import Location
from engine.rules.ruleset import parse_ruleset
from tests.support.payments import NOW
from tests.support.rule_samples import TWO_RULES
from tests.support.stage_world import CacheFault, Faults

USERS = 3
FIRST_PARTITIONS = 2
FIRST_APPENDED_AT = NOW - timedelta(days=60)
POISON = (None, b"", b"?", b'{"user_id": 3}', b'{"user_id": "user-1"}', b"\xff\xfe")
PLACES = (
    None,
    Location(latitude=52.52, longitude=13.405, country="DE", city="Berlin"),
    Location(latitude=48.85, longitude=2.35, country="FR", city="Paris"),
    "Rome, IT",
)

_CANDIDATE = """candidate:
  version: test-4
  share: 50
  thresholds: {review: 30, block: 60}
  rules: [{id: small_amount, when: amount_base <= 1000.0, points: 35, reason: Paid little.}]
"""

RULESETS = tuple(
    parse_ruleset(text)
    for text in (
        TWO_RULES,
        TWO_RULES.replace("test-1", "test-2").replace("points: 50", "points: 90"),
        TWO_RULES.replace("test-1", "test-3").replace("USD: 0.9", "USD: 1.1"),
        f"{TWO_RULES}\n{_CANDIDATE}",
    )
)
BY_VERSION = {f"{ruleset.version}+{ruleset.digest}": ruleset for ruleset in RULESETS}

FAULTS = (
    *[Faults(cache_down=True)] * 4,
    Faults(checkpoints_down=True),
    Faults(cache_down=True, checkpoints_down=True),
    Faults(history_unreadable=True),
    Faults(insert_failure_rate=0.3),
    Faults(insert_failure_rate=1.0),
    Faults(lost_answer_rate=0.3),
    Faults(lost_answer_rate=1.0),
    Faults(insert_failure_rate=0.2, lost_answer_rate=0.2, quarantine_down=True),
    Faults(quarantine_down=True),
    *(Faults(next_cache_write=fault) for fault in CacheFault),
)
faults_drawn = st.one_of(st.none(), st.sampled_from(FAULTS))
seeds = st.integers(0, 2**16)
users = st.integers(0, USERS - 1)
sizes = st.lists(st.integers(0, 12), min_size=FIRST_PARTITIONS + 1, max_size=FIRST_PARTITIONS + 1)
steps = st.integers(0, 30)
