"""What the commands about rulesets find in an environment: its outputs, and the function that checks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec

from contract.ruleset_draft import Draft
from tests.support.ruleset_world import BUCKET

if TYPE_CHECKING:
    from tests.support.deployer_world import DeployerWorld

OUTPUTS: dict[str, Any] = {
    "rules": {"bucket": BUCKET},
    "table_names": {"ruleset_changes": "ruleset_changes"},
    "function_names": {"rules_validator": "fraud-dev-rules_validator"},
}


class Validator:
    """Lambda with one function."""

    def __init__(self, world: DeployerWorld) -> None:
        self._world = world

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - Lambda's names
        assert FunctionName == "validator"
        draft = msgspec.json.decode(Payload, type=dict[str, Draft])["draft"]
        return {"Payload": io.BytesIO(msgspec.json.encode(self._world.checker.check(draft)))}
