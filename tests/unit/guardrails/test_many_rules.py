"""However many rules leave their largest share at once, they are suspended, and the row says so."""

from __future__ import annotations

import json

from contract.ruleset_change import MAX_REASON, ChangeKind
from engine.rollout.counts import RolloutCounts
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from tests.support.rollouts import settled_as
from tests.support.rule_samples import RULE, document
from tests.unit.guardrails.world import PAYMENTS, World

RULE_IDS = [f"velocity_rule_{number:02}" for number in range(45)]


def test_rules_whose_sentences_are_longer_than_a_rows_reason_are_suspended_and_recorded() -> None:
    world = World()
    rules = [{**RULE, "id": rule_id, "max_share": 2} for rule_id in RULE_IDS]
    hits = {rule_id: dict.fromkeys(range(64), 30) for rule_id in RULE_IDS}
    world.deployed(
        document(f"rules: {json.dumps(rules)}").encode(),
        settled_as(RolloutCounts(PAYMENTS, champion_hits=hits)),
    )

    sentence = world.stage.run()

    after = check_ruleset(world.appconfig.active, "after")
    assert len(sentence) > MAX_REASON
    assert {each.mode for each in after.rules} == {"suspended"}
    (row,) = [each for each in world.rows if each.kind is ChangeKind.SUSPENDED]
    assert row.suspended_rule_ids == tuple(RULE_IDS)
    assert row.reason == sentence[: MAX_REASON - 1] + "…"
    assert world.emitted[Metric.RULES_SUSPENDED] == len(RULE_IDS)
