"""Rulesets, and what was counted by them, for tests of the guardrails."""

from __future__ import annotations

import json
from datetime import timedelta

from engine.rollout.counts import RolloutCounts
from tests.support.appconfig_memory import START
from tests.support.rollouts import settled_as
from tests.support.rule_samples import HEAD, RULE, document

NOW = START + timedelta(hours=1)
CANDIDATE = {"version": "2", "share": 10, "thresholds": {"review": 1, "block": 99}, "rules": [RULE]}
PLAIN = document(f"rules: {json.dumps([RULE])}").encode()
LIMITED = document(f"rules: {json.dumps([{**RULE, 'max_share': 2}])}").encode()
ROLLOUT = document(f"rules: {json.dumps([RULE])}", f"{HEAD}candidate: {json.dumps(CANDIDATE)}\n").encode()

PAYMENTS = dict.fromkeys(range(64), 100)
BAD = settled_as(RolloutCounts(PAYMENTS, {group: [0, 1, 30 + group % 3] for group in range(64)}))
GOOD = settled_as(RolloutCounts(PAYMENTS, {group: [2, 0, 0] for group in range(64)}))
FREQUENT = settled_as(RolloutCounts(PAYMENTS, champion_hits={"r": dict.fromkeys(range(64), 30)}))
