"""The guardrails with everything that they use in memory, rulesets, and what was counted by them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from engine.rollout.counts import RolloutCounts
from engine.rollout.windows import Part
from engine.rules.check import check_ruleset
from guardrails.stage import Guardrails
from rollouts.deployments import Deployments
from rollouts.tables import Counted
from tests.support.appconfig_memory import START, MemoryAppConfig
from tests.support.rollouts import settled_as
from tests.support.rule_samples import HEAD, RULE, document

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.exceptions import ClientError

    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange

NOW = START + timedelta(hours=1)
CANDIDATE = {"version": "2", "share": 10, "thresholds": {"review": 1, "block": 99}, "rules": [RULE]}
PLAIN = document(f"rules: {json.dumps([RULE])}").encode()
LIMITED = document(f"rules: {json.dumps([{**RULE, 'max_share': 2}])}").encode()
ROLLOUT = document(f"rules: {json.dumps([RULE])}", f"{HEAD}candidate: {json.dumps(CANDIDATE)}\n").encode()

PAYMENTS = dict.fromkeys(range(64), 100)
BAD = settled_as(RolloutCounts(PAYMENTS, {group: [0, 1, 30 + group % 3] for group in range(64)}))
GOOD = settled_as(RolloutCounts(PAYMENTS, {group: [2, 0, 0] for group in range(64)}))
FREQUENT = settled_as(RolloutCounts(PAYMENTS, champion_hits={"r": dict.fromkeys(range(64), 30)}))


@dataclass
class World:
    """The guardrails with everything that they use, in memory."""

    appconfig: MemoryAppConfig = field(default_factory=MemoryAppConfig)
    counted: dict[str, RolloutCounts] = field(default_factory=dict)
    rows: list[RulesetChange] = field(default_factory=list)
    desk: list[RulesetChange] = field(default_factory=list)
    """Rows of changes that people have approved, of months ago."""
    actives: list[ActiveRuleset] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    emitted: dict[str, float] = field(default_factory=dict)
    warnings: list[Any] = field(default_factory=list)
    now: datetime = NOW
    not_kept: ClientError | None = None

    def __post_init__(self) -> None:
        self.stage = self.process()

    def process(self, appconfig: Any = None, tables: Any = None) -> Guardrails:
        """A new process, which may see AppConfig and the tables through something that fails."""
        client: Any = appconfig or self.appconfig
        return Guardrails(
            Deployments(client, "a", "e", "s"),
            tables or self,
            tables or self,
            self.kept.__setitem__,
            lambda _: None,
            self,
            self,
            lambda: self.now,
        )

    def read(self, digest: str, now: datetime) -> Counted:
        counts = self.counted.get(digest)
        parts = [] if counts is None else [Part(now - timedelta(minutes=1), counts)]
        return Counted(parts, {}, self.not_kept)

    def put(self, change: RulesetChange) -> None:
        self.rows.append(change)

    def put_ended(self, begun: RulesetChange, ended: RulesetChange) -> None:
        places = [place for place, each in enumerate(self.rows) if each.change_key == begun.change_key]
        for place in places:
            if self.rows[place].state is begun.state:
                self.rows[place] = ended

    def put_active(self, active: ActiveRuleset) -> None:
        if not self.actives or self.actives[-1].position < active.position:
            self.actives.append(active)

    def made(self, change_id: str) -> RulesetChange | None:
        return next((each for each in self.desk if each.change_id == change_id), None)

    def lately(self, now: datetime) -> list[RulesetChange]:
        months = {f"{now:%Y-%m}", f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"}
        return [each for each in self.rows if each.changed_in in months]

    def add_metric(self, name: str, unit: object, value: float) -> None:
        assert unit
        self.emitted[name] = self.emitted.get(name, 0) + value

    def warning(self, msg: object, *, extra: Any) -> None:
        self.warnings.append((msg, extra))

    def deployed(self, data: bytes, counts: RolloutCounts, state: str = "COMPLETE") -> str:
        """Deploy a document by which something was counted; give its digest."""
        self.appconfig.deploy(data, state)
        digest = check_ruleset(data, "test").digest
        self.counted[digest] = counts
        return digest
