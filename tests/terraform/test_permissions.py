"""A function's role allows what its code calls and nothing else, checked against the source and against recorded calls."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from local.resources import dead_letter_name
from ops.manifests import ROOT, read_functions
from tests.terraform.calls import actions_in_code
from tests.terraform.recording import record_calls
from tests.terraform.rendered_modules import target_arn
from tests.terraform.rendering import statements

if TYPE_CHECKING:
    from tests.terraform.call_recorder import Call

# The first test runs every function, on a machine that may have other load.
pytestmark = pytest.mark.timeout(900)

FUNCTIONS = read_functions()
WITHOUT_RESOURCE = {"cloudwatch:GetMetricData"}
"""Actions that IAM cannot limit to a resource; they read figures, and no row."""

TRIGGERED = [name for name, spec in FUNCTIONS.items() if spec.is_triggered and not spec.is_optional]
"""Those that `recording` runs; the console's rights are compared with its code alone."""

NOT_ON_THE_WIRE = {"elasticache:Connect"}
"""The local cache needs no sign-in, and a sign-in is a signature, not a call. Only the source shows that it is needed."""

BOUNDARY = ROOT / "terraform" / "bootstrap" / "boundary.tf"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Call]]:
    """Calls of each function in a run on the local stack's servers."""
    return record_calls(tmp_path_factory.mktemp("recorded"))


def _granted(function: str) -> list[dict[str, Any]]:
    """The statements for the code's own calls. The keys of what is stored are used by the services, not by the code."""
    return [statement for statement in statements(function, "access") if not statement["Sid"].endswith("Key")]


def _allowed(function: str) -> list[dict[str, Any]]:
    """The statements for what the code calls, with those for its dead letters, which Lambda sends with the same role."""
    runtime = statements(function, "runtime")
    return [
        *_granted(function),
        *(statement for statement in runtime if statement["Sid"] in {"DeadLetter", "DeadLetterWithContent"}),
    ]


def _arn(function: str, call: Call) -> str:
    _, kind, name, key = call
    arn = target_arn(f"own_{kind}" if name == dead_letter_name(function) else kind, name)
    return f"{arn}/{key}" if key else arn


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_the_actions_that_the_code_calls_and_no_other(function: str) -> None:
    granted = {action for statement in _granted(function) for action in statement["Action"]}
    allowed = {action for statement in _allowed(function) for action in statement["Action"]}

    called = actions_in_code(function, FUNCTIONS[function])

    assert granted - called == set()
    assert called - allowed == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_two_statements_of_a_policy_have_one_id(function: str) -> None:
    for policy in ("access", "source", "runtime"):
        ids = [statement["Sid"] for statement in statements(function, policy)]

        assert len(ids) == len(set(ids)), ids


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_boundary_has_every_action_of_a_role(function: str) -> None:
    # A role may do what both its policies and its boundary allow. What the boundary lacks is refused at the first call.
    allowed, _, _ = BOUNDARY.read_text().partition('effect    = "Deny"')
    bounds = re.findall(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"', allowed)

    lacking = {
        action
        for statement in statements(function, "access", "source", "runtime")
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if not any(fnmatchcase(action, bound) for bound in bounds)
    }

    assert lacking == set()


@pytest.mark.slow
@pytest.mark.parametrize("function", TRIGGERED)
def test_every_recorded_call_is_allowed_on_its_target(function: str, recorded: dict[str, set[Call]]) -> None:
    refused = {
        call
        for call in recorded[function]
        if not any(
            call[0] in statement["Action"]
            and any(fnmatchcase(_arn(function, call), arn) for arn in statement["Resource"])
            for statement in _allowed(function)
        )
    }

    assert refused == set()


@pytest.mark.slow
@pytest.mark.parametrize("function", TRIGGERED)
def test_every_permission_was_used_by_a_recorded_call(function: str, recorded: dict[str, set[Call]]) -> None:
    unused = {
        (action, resource)
        for statement in _granted(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action not in NOT_ON_THE_WIRE
        and not any(
            call[0] == action and fnmatchcase(_arn(function, call), resource) for call in recorded[function]
        )
    }

    assert unused == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_statement_allows_everything_of_a_service_or_on_all_resources_of_the_code(function: str) -> None:
    for statement in statements(function, "access", "source", "runtime"):
        assert not any("*" in action for action in statement["Action"]), statement
    for statement in statements(function, "access"):
        is_unlimited = {*statement["Action"]} <= WITHOUT_RESOURCE
        assert is_unlimited or all(len(resource) > 1 for resource in statement["Resource"]), statement


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_key_is_used_only_through_the_services_that_the_role_names(function: str) -> None:
    services = {
        action.partition(":")[0] for statement in _granted(function) for action in statement["Action"]
    }

    own = _granted(function)
    for statement in statements(function, "access"):
        # A key that the code itself calls is not used through a service.
        if statement not in own and any(action.startswith("kms:") for action in statement["Action"]):
            through = statement["Condition"]["StringEquals"]["kms:ViaService"]
            assert {service.partition(".")[0] for service in through} <= services
