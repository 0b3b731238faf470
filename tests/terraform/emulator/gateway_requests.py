"""Which IAM requests a call of API Gateway is: its actions are HTTP methods, its resources paths without an account.

Source: API Gateway's developer guide, "Actions, resources, and condition keys"; the paths are those of AWS's own model of the service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from botocore.session import get_session

from tests.terraform.iam.evaluator import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.terraform.emulator.iam_call import Call, State

SERVICE: Final = "apigateway"

PLACEHOLDER: Final = re.compile(r"\{(\w+)\+?\}")

API: Final = re.compile(r"/restapis/([0-9a-z]+)")
"""The API in a path; in that of its tags too, which holds its ARN."""


def gateway_requests(call: Call, context: Mapping[str, str | list[str]], state: State) -> list[Request]:
    """List what a caller must be allowed for a call.

    Parameters
    ----------
    call : Call
        Of the service `SERVICE`.
    context : Mapping
        Condition keys of the call itself.
    state : State
        What belongs to an API has the API's tags.
    """
    method, path = method_and_path(call)
    arn = f"arn:aws:apigateway:{call.region}::{path}"
    found = API.search(path)
    tags = state.keys_of(f"arn:aws:apigateway:{call.region}::/restapis/{found[1]}") if found else {}
    actions = [method] + (["UpdateRestApiPolicy"] if changes_policy(call) else [])
    return [Request(f"{SERVICE}:{action}", arn, {**context, **tags}) for action in actions]


def method_and_path(call: Call) -> tuple[str, str]:
    """HTTP method and path of a call, such as ``GET`` and ``/restapis/a1b2c3d4e5/stages/v1``."""
    operation = get_session().get_service_model(SERVICE).operation_model(call.operation)
    shape = operation.input_shape
    members = {} if shape is None else shape.members
    names = {member.serialization.get("name", name): name for name, member in members.items()}
    path = PLACEHOLDER.sub(lambda match: str(call.parameters[names[match[1]]]), operation.http["requestUri"])
    return operation.http["method"], path.partition("?")[0]


def changes_policy(call: Call) -> bool:
    """Whether a call sets who may reach an API."""
    changes: list[dict[str, Any]] = call.parameters.get("patchOperations") or []
    sets = call.operation == "CreateRestApi" and bool(call.parameters.get("policy"))
    patches = call.operation == "UpdateRestApi" and any(
        change.get("path", "").startswith("/policy") for change in changes
    )
    return sets or patches
