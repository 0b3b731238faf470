"""AWS Step Functions: the check of a definition that the provider asks for in every plan that changes it, and versions.

moto stores state machines and lacks both calls. A definition is valid here if every state that it names exists; AWS checks more.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

UNNAMED_DEFAULTS: dict[str, Any] = {
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
}
"""What AWS returns for settings that a state machine was created without."""


def problems(definition: dict[str, Any]) -> list[str]:
    """Names of states that are used and do not exist."""
    states: dict[str, Any] = definition["States"]
    used = [definition["StartAt"]]
    for state in states.values():
        branches = [*state.get("Choices", []), *state.get("Catch", [])]
        used += [branch["Next"] for branch in branches]
        used += [state[key] for key in ("Next", "Default") if key in state]
    return sorted(set(used) - set(states))


def install() -> None:
    """Add the two calls, and AWS's defaults."""
    described = StepFunctionResponse._describe_state_machine

    def validate_state_machine_definition(self: StepFunctionResponse) -> ActionResult:
        missing = problems(json.loads(self._get_param("definition")))
        found = [
            {"severity": "ERROR", "code": "MISSING_TRANSITION_TARGET", "message": f"there is no state {name}"}
            for name in missing
        ]
        return ActionResult({"result": "FAIL" if found else "OK", "diagnostics": found, "truncated": False})

    def list_state_machine_versions(self: StepFunctionResponse) -> ActionResult:
        self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
        return ActionResult({"stateMachineVersions": []})

    def describe(self: StepFunctionResponse, state_machine_arn: str) -> ActionResult:
        answer = described(self, state_machine_arn)
        shown: Any = answer.result
        for setting, default in UNNAMED_DEFAULTS.items():
            shown[setting] = shown.get(setting) or default
        return answer

    StepFunctionResponse.validate_state_machine_definition = validate_state_machine_definition  # type: ignore[attr-defined]
    StepFunctionResponse.list_state_machine_versions = list_state_machine_versions  # type: ignore[attr-defined]
    StepFunctionResponse._describe_state_machine = describe  # type: ignore[method-assign]
