"""How far a change is, in ``ruleset_changes``. Each step is written over the step before it alone, so a second writer changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.ruleset_changes import ChangeRows, is_refused
from contract.items import to_attribute
from contract.ruleset_change import ChangeState
from rollouts.rows import versions

if TYPE_CHECKING:
    from datetime import datetime

    from contract.ruleset_change import RulesetChange
    from engine.rules.ruleset import Ruleset


class DeployedRows(ChangeRows):
    """The table, by the calls of the deployer. Raises as its base."""

    def now(self, change: RulesetChange) -> RulesetChange | None:
        """Give a change as it is now: the index may be behind."""
        return self.change(change.changed_in, change.change_key)

    def begin(self, change: RulesetChange, newest_deployment: int) -> bool:
        """Write that the deployment is about to start, as the next one after another; False where the change is approved no more."""
        return self._update(
            change,
            ChangeState.APPROVED,
            "SET #state = :state, begun_after = :after",
            {":state": ChangeState.DEPLOYING.value, ":after": newest_deployment},
            "attribute_not_exists(begun_after)",
        )

    def begin_again(self, change: RulesetChange, newest_deployment: int) -> bool:
        """Write that the deployment is about to start after another number, since somebody else's came first; False where another run did that."""
        return self._update(
            change,
            ChangeState.DEPLOYING,
            "SET begun_after = :after",
            {":after": newest_deployment, ":before": change.begun_after},
            "begun_after = :before AND attribute_not_exists(deployment)",
        )

    def started(self, change: RulesetChange, deployment: int, ruleset: Ruleset) -> bool:
        """Write the number of the deployment, and what it brings where that is not what was approved; False where that was done."""
        values: dict[str, object] = {"deployment": deployment}
        if ruleset.digest != change.digest_after:
            values |= {"digest_deployed": ruleset.digest} | versions(ruleset)
        known = {name: value for name, value in values.items() if value is not None}
        sets = ", ".join(f"{name} = :{name}" for name in known)
        removed = ", ".join(name for name in values if name not in known)
        return self._update(
            change,
            ChangeState.DEPLOYING,
            f"SET {sets}" + (f" REMOVE {removed}" if removed else ""),
            {f":{name}": value for name, value in known.items()},
            "attribute_not_exists(deployment)",
        )

    def end(self, change: RulesetChange, state: ChangeState, at: datetime, failure: str | None) -> bool:
        """Write what became of a change; False where it is not any more as it was read."""
        values: dict[str, object] = {":state": state.value, ":at": at}
        why = ""
        if failure is not None:
            why, values[":failure"] = ", failure = :failure", failure
        has_same = "attribute_not_exists(deployment)"
        if change.deployment is not None:
            has_same, values[":number"] = "deployment = :number", change.deployment
        return self._update(
            change, change.state, f"SET #state = :state, ended_at = :at{why} REMOVE open_in", values, has_same
        )

    def _update(
        self,
        change: RulesetChange,
        state: ChangeState,
        expression: str,
        values: dict[str, object],
        condition: str,
    ) -> bool:
        expected: dict[str, Any] = {
            name: to_attribute(value) for name, value in {**values, ":expected": state.value}.items()
        }
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"changed_in": {"S": change.changed_in}, "change_key": {"S": change.change_key}},
                UpdateExpression=expression,
                ConditionExpression=f"#state = :expected AND {condition}",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=expected,
            )
        except ClientError as error:
            if is_refused(error):
                return False
            raise
        return True
