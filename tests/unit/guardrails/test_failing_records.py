"""Nothing that keeps the guardrails from recording a deployment keeps them from judging what decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from common.metrics import emit
from common.ruleset_changes import ChangeRows
from contract.items import to_item
from contract.ruleset_change import ChangeKind, make_change
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from tests.support.tables import make_table
from tests.unit.guardrails.world import BAD, NOW, ROLLOUT, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange


class _Tables:
    """The counts in memory, and the table of changes on moto."""

    def __init__(self, world: World, rows: ChangeRows) -> None:
        self.read = world.read
        self.put, self.put_ended, self.put_active = rows.put, rows.put_ended, rows.put_active
        self.made, self.lately = rows.made, rows.lately


def _candidate(world: World) -> object:
    return check_ruleset(world.appconfig.active, "after").candidate


def test_a_row_that_cannot_be_read_is_counted_and_the_candidate_is_withdrawn(
    aws: Callable[[str], Any],
) -> None:
    world, client = World(), aws("dynamodb")
    world.deployed(ROLLOUT, BAD)
    bad = make_change(
        changed_at=NOW,
        digest_after="0123456789ab",
        kind=ChangeKind.DEPLOYED,
        changed_by="ann",
        reason="a better one",
        version_after="1",
    )
    lines: list[object] = []

    class _Log:
        def error(self, msg: object, *, extra: Mapping[str, object]) -> None:
            lines.append((msg, extra))

    rows = ChangeRows(
        client,
        make_table(client, "ruleset_changes"),
        _Log(),
        lambda: emit(world, Metric.CHANGES_UNREADABLE),
    )
    client.put_item(TableName="ruleset_changes", Item=to_item(bad) | {"kind": {"S": "of_a_newer_version"}})

    world.process(tables=_Tables(world, rows)).run()

    assert _candidate(world) is None
    assert world.emitted[Metric.CHANGES_UNREADABLE] == len(lines) > 0
    assert [each.kind for each in rows.lately(NOW)].count(ChangeKind.WITHDRAWN) == 1


@pytest.mark.parametrize("failing", ["put_active", "made"])
def test_a_deployment_that_cannot_be_recorded_is_judged_and_the_run_fails_afterwards(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    world.appconfig.deployments[0]["Description"] = "change 20261201T093000000000Z-0123456789ab: mine"
    world.desk = [_approved()]

    def refuse(_: RulesetChange | ActiveRuleset | str) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    real = getattr(world, failing)
    with monkeypatch.context() as patched:
        if failing == "made":
            patched.setattr(world, failing, refuse)
        else:
            calls: list[object] = []

            def refuse_first(row: Any) -> Any:
                calls.append(row)
                return refuse(row) if len(calls) == 1 else real(row)

            patched.setattr(world, failing, refuse_first)
        with pytest.raises(ClientError, match="PutItem"):
            world.stage.run()

    assert _candidate(world) is None
    assert [each.kind for each in world.rows] == [ChangeKind.WITHDRAWN]


def _approved() -> RulesetChange:
    made = make_change(
        changed_at=NOW,
        digest_after="0123456789ab",
        kind=ChangeKind.TO_ALL,
        changed_by="ann",
        reason="a better one",
        version_after="1",
    )
    return msgspec.structs.replace(made, decided_by="bob", begun_after=0, deployment=1)
